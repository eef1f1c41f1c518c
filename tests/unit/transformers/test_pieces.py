"""Text in pieces: whatever the tokens are, the pieces make up the text."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bridge_transformers._pieces import TextPieces


def of_bytes(tokens: list[int]) -> str:
    """Decode as byte-level tokenizers do: a token is a byte."""
    return bytes(tokens).decode("utf-8", "replace")


def of_words(tokens: list[int]) -> str:
    """Decode as sentencepiece does: the space before the first word is dropped."""
    return "".join(f" {token}" for token in tokens).removeprefix(" ")


def pieces(decode: object, tokens: list[int]) -> list[str]:
    text = TextPieces(decode)  # type: ignore[arg-type]
    return [*(piece for token in tokens if (piece := text.add(token))), *filter(None, [text.rest()])]


@given(st.text(st.characters(codec="utf-8", exclude_characters="\ufffd")))
def test_characters_of_several_tokens_come_whole(text: str) -> None:
    assert pieces(of_bytes, list(text.encode())) == list(text)


@given(st.text())
def test_pieces_of_bytes_make_up_the_text(text: str) -> None:
    assert "".join(pieces(of_bytes, list(text.encode()))) == text


@given(st.lists(st.integers(0, 99)))
def test_pieces_of_words_make_up_the_text(tokens: list[int]) -> None:
    assert "".join(pieces(of_words, tokens)) == of_words(tokens)


def test_half_a_character_comes_at_the_end() -> None:
    assert pieces(of_bytes, list("aé".encode())[:2]) == ["a", "\ufffd"]


def test_tokens_that_are_no_text_are_no_pieces() -> None:
    assert pieces(lambda tokens: "", [1, 2, 3]) == []
