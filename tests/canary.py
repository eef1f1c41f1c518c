"""A secret that nobody may see, and what would show it."""

from __future__ import annotations

import base64
import json

__all__ = ["KEY", "OTHER", "assert_unseen", "shows"]

KEY = 'sk-CANARY/01+2\\3="é x&€😀y'
"""Has all that is escaped in one way or another."""
OTHER = "sk-ROTATED-0123456789"


def shows(text: str, key: str = KEY) -> str | None:
    """Return what in a text shows the beginning of a key, in any spelling, or a good part of it in base64."""
    data = key.encode()
    parts = [key[:5]]
    for before in range(3):
        part = base64.b64encode(b"?" * before + data).decode()[4:-8]
        parts += [part, part.translate(str.maketrans("+/", "-_"))]
    return next((part for part in parts if part in text), None)


def assert_unseen(message: object, key: str = KEY) -> None:
    """Fail if a text, or a message once it is JSON, shows the key."""
    text = message if isinstance(message, str) else json.dumps(message, default=repr)
    part = shows(text, key)
    assert part is None, f"shown as {part!r}: …{text[max(0, text.find(part) - 200) :][:400]}"
