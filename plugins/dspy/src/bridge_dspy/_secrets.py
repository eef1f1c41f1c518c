"""What must never leave the worker: keys and credentials, in every spelling in which an error may repeat them."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterable, Mapping
from urllib.parse import SplitResult, parse_qsl, unquote

__all__ = ["Secrets", "secrets_in_environment", "secrets_in_url"]

_MARK = "[redacted]"
# Below, a value is an ordinary syllable. Between the two it may be an ordinary word (local servers are given keys such
# as "none"): it is redacted where it stands alone, not inside another word.
_SHORTEST = 4
_SURE = 8
_HOLDERS = ("_API_KEY", "_ACCESS_KEY", "_TOKEN", "_SECRET")


class Secrets:
    """Redacts some values: as they are, escaped as in Python, JSON or HTML, percent-encoded, and in base64."""

    def __init__(self, values: Iterable[str] = ()) -> None:
        known = {value.strip() for value in values}
        known = {value for value in known if len(value) >= _SHORTEST}
        # The longest first: one value may be a part of another.
        spellings = [_spellings(value) for value in sorted(known, key=len, reverse=True)]
        self._pattern = re.compile("|".join(spellings)) if spellings else None

    def __bool__(self) -> bool:
        return self._pattern is not None

    def redact(self, text: str) -> str:
        """Return the text without the secrets."""
        return self._pattern.sub(_MARK, text) if self._pattern else text


def secrets_in_url(url: SplitResult) -> set[str]:
    """Return what may be secret in a URL: user name, password, query and fragment, together and one by one."""
    user = url.netloc.rpartition("@")[0]
    written = {user, *user.split(":", 1), url.query, url.fragment}
    return written | {unquote(part) for part in written} | {value for _, value in parse_qsl(url.query)}


def secrets_in_environment(environ: Mapping[str, str]) -> set[str]:
    """Return the keys that DSPy would take from the environment, and whatever is kept there under such a name."""
    found = {value for name, value in environ.items() if name.upper().endswith(_HOLDERS)}
    return {value for value in found if len(value) >= _SURE}


def _spellings(secret: str) -> str:
    """Return a pattern for one secret."""
    plain = "".join(map(_character, secret))
    data = secret.encode("utf-8", "surrogatepass")
    if len(secret) < _SURE:
        whole = _base64(base64.b64encode(data).decode().rstrip("="))
        return rf"(?<![A-Za-z0-9])(?:{plain}|{whole})(?![A-Za-z0-9])"
    return "|".join([plain, *(_inside_base64(data, before) for before in range(3))])


def _character(character: str) -> str:
    """Return a pattern for one character of a secret, escaped in one way or several, or not at all."""
    if character == "\\":
        return r"(?:\\+|(?i:%5c))"
    escaped = {character, json.dumps(character)[1:-1], ascii(character)[1:-1], html.escape(character)}
    percent = "".join(f"%{byte:02x}" for byte in character.encode("utf-8", "surrogatepass"))
    # A backslash may itself have been escaped since.
    forms = [re.escape(form).replace(r"\\", r"\\+") for form in sorted(escaped, key=len, reverse=True)]
    alternatives = "|".join(forms)
    spaces = r"|\+" if character == " " else ""
    prefix = "" if character.isalnum() and character.isascii() else r"\\*"
    return rf"{prefix}(?:{alternatives}|(?i:{percent}){spaces})"


def _inside_base64(data: bytes, before: int) -> str:
    """Return a pattern for these bytes after so many others; the outer digits depend on the neighbours."""
    encoded = base64.b64encode(bytes(before) + data).decode()
    end = 8 * (before + len(data))
    digit = "[A-Za-z0-9+/_-]"
    first, last = f"{digit}?" if before else "", f"{digit}?={{0,2}}" if end % 6 else ""
    return first + _base64(encoded[(8 * before + 5) // 6 : end // 6]) + last


def _base64(text: str) -> str:
    """Return a pattern for both alphabets."""
    return re.escape(text).replace(r"\+", "[+-]").replace("/", "[/_]")
