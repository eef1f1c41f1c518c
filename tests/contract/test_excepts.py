"""Broad `except` only where foreign code is called or nobody is left to tell, and it says which of these it is."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from contract.sources import Source, shipped

PLACES = ["plugin call", "handler call", "thread top", "shutdown"]
BROAD = {"Exception", "BaseException"}
MARK = re.compile(rf"#.*\bboundary: ({'|'.join(PLACES)})\b")
# Components that call foreign code, own a thread or end a process. A new one needs a reason, not just an entry.
ALLOWED = {
    "bridge_core": {
        "errors",
        "serialize",
        "_distributions",
        "_plugins",
        "_handlers",
        "calls",
        "worker",
        "client",
        "transports",
        "cli",
        "compat",
    },
}


def names(node: ast.expr | None) -> set[str]:
    """Return the exception names of an except clause or of `suppress(...)`."""
    if node is None:
        return {"BaseException"}
    parts = node.elts if isinstance(node, ast.Tuple) else [node]
    return {ast.unparse(part).removeprefix("builtins.") for part in parts}


def broad(tree: ast.AST) -> Iterator[int]:
    """Yield the lines at which anything at all is caught."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler) and names(node.type) & BROAD:
            yield node.lineno
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("suppress"):
            yield from [node.lineno for argument in node.args if names(argument) & BROAD]


@pytest.mark.parametrize("source", shipped(), ids=lambda source: source.module)
def test_broad_except_names_its_place(source: Source) -> None:
    lines = source.text.splitlines()
    unmarked = [line for line in broad(source.tree) if not MARK.search(lines[line - 1])]
    assert not unmarked, f"{source.name}, lines {unmarked}: add `# boundary: <one of {PLACES}>` or catch less"


@pytest.mark.parametrize("source", shipped(), ids=lambda source: source.module)
def test_broad_except_stands_only_in_the_listed_components(source: Source) -> None:
    found = list(broad(source.tree))
    package = source.module.split(".")[0]
    assert not found or source.component in ALLOWED.get(package, set()), f"{source.name}, lines {found}: catch less"
