"""A key and a base URL as a peer gave them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit, urlunsplit

from bridge_core.errors import InvalidArgumentsError

from ._redaction import SURE, Secrets

__all__ = ["Credentials"]

# In a header they end the request in an error that shows the header.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_HOLDERS = ("_API_KEY", "_ACCESS_KEY", "_TOKEN", "_SECRET")


class Credentials:
    """A key and a base URL, cleaned, and what is secret in them and in the environment.

    The space around them, which comes with copying, is no part of them; an empty one is None.

    Args:
        api_key: The key.
        api_base: An http or https URL.
        environ: Where frameworks look for keys that they are not given: what is kept there under such a name is secret.

    Raises:
        InvalidArgumentsError: One has control characters inside, or the URL is none. `details.path` is `$.api_key` or
            `$.api_base`; the error shows neither of them.
    """

    def __init__(self, *, api_key: str | None, api_base: str | None, environ: Mapping[str, str]) -> None:
        self.api_key = _cleaned("$.api_key", api_key)
        self.api_base = _cleaned("$.api_base", api_base)
        url = _split(self.api_base)
        self.shown_base = urlunsplit((url.scheme, url.netloc.rpartition("@")[2], url.path, "", "")) or None
        """The URL without what is secret in it."""
        self.secrets = Secrets({self.api_key or "", *_in_url(url), *_in_environment(environ)})


def _cleaned(path: str, value: str | None) -> str | None:
    cleaned = (value or "").strip()
    if _CONTROL.search(cleaned):
        raise _invalid(path, "it has control characters, such as a line break, inside")
    return cleaned or None


def _split(given: str | None) -> SplitResult:
    """Split a URL; the error has neither the URL nor the parser's words."""
    try:
        url = urlsplit(given or "")
        wrong = given is not None and (url.scheme not in ("http", "https") or not url.hostname or url.port == 0)
    except ValueError:
        wrong = True
    if wrong:
        raise _invalid("$.api_base", "expected a URL such as https://host:port/path")
    return url


def _in_url(url: SplitResult) -> set[str]:
    """Return what may be secret in a URL: user name, password, query and fragment, together and one by one."""
    user = url.netloc.rpartition("@")[0]
    written = {user, *user.split(":", 1), url.query, url.fragment}
    return written | {unquote(part) for part in written} | {value for _, value in parse_qsl(url.query)}


def _in_environment(environ: Mapping[str, str]) -> set[str]:
    """Return what is kept under the name of a key; short values there are rather switches."""
    found = {value for name, value in environ.items() if name.upper().endswith(_HOLDERS)}
    return {value for value in found if len(value) >= SURE}


def _invalid(path: str, problem: str) -> InvalidArgumentsError:
    return InvalidArgumentsError(f"{path}: {problem}", path=path)
