"""Stdout belongs to the wire: only the command line prints."""

from __future__ import annotations

import ast

import pytest

from contract.sources import Source, shipped

QUIET = [source for source in shipped() if source.component != "cli"]


@pytest.mark.parametrize("source", QUIET, ids=lambda source: source.module)
def test_nothing_outside_the_command_line_prints(source: Source) -> None:
    prints = [
        node.lineno
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Name) and node.id in {"print", "pprint", "breakpoint"}
    ]
    assert not prints, f"{source.name} prints in lines {prints}: use logging"
