"""Every numbered sentence of docs/reference/protocol.md has a test that carries its number."""

from __future__ import annotations

import re

from contract.markers import marked
from contract.sources import ROOT, suite

PAGE = ROOT / "docs/reference/protocol.md"


def numbered() -> list[str]:
    """Return the numbers of the page's sentences, in order."""
    return re.findall(r"\[(P-\d+)\]", PAGE.read_text("utf-8"))


def proven() -> set[str]:
    """Return the numbers that tests carry."""
    return {number for source in suite() for number in marked(source.tree, "sentence")}


def test_sentences_are_numbered_once() -> None:
    assert numbered()
    assert len(numbered()) == len(set(numbered()))


def test_every_sentence_has_a_test() -> None:
    assert not [number for number in numbered() if number not in proven()]


def test_no_test_is_about_a_sentence_that_does_not_exist() -> None:
    assert proven() <= set(numbered())
