"""One word, one meaning: what the wire calls `command` is an operation everywhere else."""

from __future__ import annotations

import ast

import pytest

from contract.sources import Source, core

WIRE = "protocol/_messages.py"
# The command line has commands in click's sense.
ELSEWHERE = [s for s in core() if not s.name.endswith(WIRE) and s.component not in {"cli", "__main__"}]


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
