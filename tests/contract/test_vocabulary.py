"""One word, one meaning: what docs/reference/vocabulary.md says a thing is not called, it is not called in the core."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from contract.sources import ROOT, Source, core
from contract.tables import rows

PAGE = ROOT / "docs/reference/vocabulary.md"
WIRE = "protocol/_messages.py"
# The command line has commands in click's sense.
OURS = [source for source in core() if source.component not in {"cli", "__main__"}]
# Python's own names, of what we take part in.
THEIRS = {"add_done_callback"}
ELSEWHERE = [source for source in OURS if not source.name.endswith(WIRE)]


def words() -> set[str]:
    """Return the words of the table."""
    return {cells[0] for cells in rows(PAGE) if len(cells) == 3}


def homonyms() -> set[str]:
    """Return the words that the page lists as having a meaning of their own too."""
    return {cells[0] for cells in rows(PAGE) if len(cells) == 2 and cells[0].isalpha()} - {"word"}


def refused() -> set[str]:
    """Return the single words that name nothing: neither a thing of the table nor one with a meaning of its own."""
    column = ", ".join(re.sub(r"\(.*?\)", "", cells[2]) for cells in rows(PAGE) if len(cells) == 3)
    found = {word.strip().lower() for word in column.split(",")}
    return {word for word in found if word.isalpha()} - words() - homonyms() - {"not called"}


def defined(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield the names that a module gives: to modules, classes, functions, parameters, fields and variables."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield node.lineno, node.name
        elif isinstance(node, ast.arg):
            yield node.lineno, node.arg
        elif isinstance(node, (ast.Name, ast.Attribute)) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.id if isinstance(node, ast.Name) else node.attr


def explained(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield the docstrings, also those of fields."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield node.lineno, node.value.value


def parts(text: str) -> set[str]:
    """Return the words in a name or a text, in lower case and singular."""
    found = {part.lower() for part in re.findall(r"gRPC|[A-Z]?[a-z]+|[A-Z]+(?![a-z])", text)}
    return found | {part.removesuffix("s") for part in found}


def misnamed(source: Source) -> list[str]:
    named = [(line, name) for line, name in defined(source.tree) if name not in THEIRS]
    texts = [(0, source.module), *named, *explained(source.tree)]
    return [f"line {line}: {sorted(wrong)}" for line, text in texts if (wrong := parts(text) & refused())]


@pytest.mark.parametrize("source", OURS, ids=lambda source: source.module)
def test_nothing_has_a_name_that_it_is_not_called(source: Source) -> None:
    assert not misnamed(source), f"{source.name}: docs/reference/vocabulary.md has the word to use"


def test_page_refuses_words_and_lists_no_exception_in_vain() -> None:
    column = " ".join(cells[2] for cells in rows(PAGE) if len(cells) == 3)
    assert {"handle", "callback", "packet"} <= refused()
    assert not [word for word in homonyms() if not re.search(rf"\b{word}\b", column)]


@pytest.mark.parametrize(
    "text",
    ["class ProgramHandle: ...", "def f(*, on_callback): ...", "self.packets = 1", '"""Opens a channel."""'],
    ids=["class", "parameter", "field", "docstring"],
)
def test_misnamed_thing_is_seen(text: str) -> None:
    tree = ast.parse(text)
    assert [text for _, text in [*defined(tree), *explained(tree)] if parts(text) & refused()]


def uses(tree: ast.AST) -> list[int]:
    """Return the lines that use the wire's word: as a key, a field or a parameter."""
    found = []
    for node in ast.walk(tree):
        if (
            (isinstance(node, ast.Constant) and node.value == "command")
            or (isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == "command")
            or (isinstance(node, ast.arg) and node.arg == "command")
        ):
            found.append(node.lineno)
    return found


@pytest.mark.parametrize("source", ELSEWHERE, ids=lambda source: source.module)
def test_wire_word_for_operation_stands_in_one_file(source: Source) -> None:
    assert not uses(source.tree), f"{source.name}: say operation"
