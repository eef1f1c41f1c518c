"""Text in pieces: tokens, as they come, become text that is there to stay."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["TextPieces"]

_HALF_A_CHARACTER = "\N{REPLACEMENT CHARACTER}"


class TextPieces:
    """Turns tokens into pieces of text that, joined, are the text of them all.

    A token may be a part of a character, and many tokenizers drop the space before the first token of what they decode.
    So a piece is what the newest tokens add to the text of those before them, as soon as they are whole characters.

    Args:
        decode: Gives the text of tokens.
    """

    def __init__(self, decode: Callable[[list[int]], str]) -> None:
        self._decode = decode
        self._before: list[int] = []  # the tokens of the last piece
        self._new: list[int] = []

    def add(self, token: int) -> str:
        """Return the piece that ends with this token, or "" if it ends with a later one."""
        self._new.append(token)
        piece = self._added()
        if not piece or piece.endswith(_HALF_A_CHARACTER):
            return ""
        self._before, self._new = self._new, []
        return piece

    def rest(self) -> str:
        """Return what is left when no more tokens come."""
        return self._added() if self._new else ""

    def _added(self) -> str:
        return self._decode(self._before + self._new)[len(self._decode(self._before)) :]
