"""Values that must never leave the worker, in every spelling in which an error may repeat them."""

from __future__ import annotations

import base64
import html
import json
import re
import traceback
from collections.abc import Iterable

from bridge_core.errors import HandlerRaisedError

__all__ = ["SURE", "Secrets"]

SURE = 8
"""From this length on a value is no ordinary word, and redacted inside others too."""
_MARK = "[redacted]"
# Below, a value is an ordinary syllable. Between the two it may be an ordinary word (local servers are given keys such
# as "none"): it is redacted where it stands alone, not inside another word.
_SHORTEST = 4
_TEXT_LIMIT = 2000


class Secrets:
    """Redacts some values: as they are, escaped as in Python, JSON or HTML, percent-encoded once, and in base64.

    Values of 4 to 7 characters are redacted only where they stand alone, shorter ones never.
    """

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

    def redacted(self, exc: Exception) -> HandlerRaisedError | None:
        """Describe an exception that would show a secret as the host would, without it; None for any other.

        An exception shows what is in its own text, in its notes, and in those that it was raised from.
        """
        shown = "".join(traceback.format_exception(exc))
        if self.redact(shown) == shown:
            return None
        name = f"{type(exc).__module__}.{type(exc).__qualname__}".removeprefix("builtins.")
        said = self.redact("".join(traceback.format_exception_only(exc)).strip())[:_TEXT_LIMIT]
        return HandlerRaisedError(said, exception=name, text=said.removeprefix(name).removeprefix(": "))


def _spellings(secret: str) -> str:
    """Return a pattern for one secret."""
    plain = _plain(secret)
    data = secret.encode("utf-8", "surrogatepass")
    if len(secret) < SURE:
        whole = _base64(base64.b64encode(data).decode().rstrip("="))
        return rf"(?<![A-Za-z0-9])(?:{plain}|{whole})(?![A-Za-z0-9])"
    return "|".join([plain, *(_inside_base64(data, before) for before in range(3))])


def _plain(secret: str) -> str:
    """Return a pattern for a secret as text, escaped or not.

    No two parts of it that repeat touch: matching must not take for ever, whatever the secret and the text are.
    """
    pattern = ""
    for piece in re.split(r"(\\+)", secret):
        if piece.startswith("\\"):  # they may have been escaped since, which makes them more
            pattern += rf"(?:\\|(?i:%5c)){{{len(piece)},}}"
        elif piece:
            after_backslashes = pattern.endswith(",}")
            pattern += _character(piece[0], escaped=not after_backslashes)
            pattern += "".join(map(_character, piece[1:]))
    # Of several backslashes the first one begins it.
    return rf"(?<!\\){pattern}" if pattern.startswith(("\\", r"(?:\\")) else pattern


def _character(character: str, *, escaped: bool = True) -> str:
    """Return a pattern for one character of a secret, escaped in one way or several, or not at all."""
    written = {character, json.dumps(character)[1:-1], ascii(character)[1:-1], html.escape(character)}
    percent = "".join(f"%{byte:02x}" for byte in character.encode("utf-8", "surrogatepass"))
    # Backslashes may have been escaped since.
    bare = sorted({form.lstrip("\\") for form in written}, key=len, reverse=True)
    alternatives = "|".join(re.escape(form).replace(r"\\", r"\\+") for form in bare)
    spaces = r"|\+" if character == " " else ""
    prefix = r"\\*" if escaped and not (character.isalnum() and character.isascii()) else ""
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
