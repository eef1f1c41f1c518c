"""Modules and functions stay small enough to be read at once."""

from __future__ import annotations

import ast

import pytest

from contract.sources import ROOT, Source, code_lines, shipped, suite

MAX_MODULE = 400
MAX_FUNCTION = 50
MAX_KERNEL = 900
KERNEL = ["errors", "_models", "hookspecs", "_distributions", "_plugins", "_handlers", "_context"]

everything = pytest.mark.parametrize("source", shipped() + suite(), ids=lambda source: source.name)


@everything
def test_module_fits_in_400_lines(source: Source) -> None:
    assert len(source.text.splitlines()) <= MAX_MODULE, f"{source.name}: one module, one noun; divide it"


@everything
def test_functions_fit_in_50_lines(source: Source) -> None:
    long = [
        f"{node.name} ({lines} lines)"
        for node in ast.walk(source.tree)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        and (lines := (node.end_lineno or node.lineno) - node.lineno + 1) > MAX_FUNCTION
    ]
    assert not long, f"{source.name}: {long}"


def test_kernel_fits_in_900_code_lines() -> None:
    lines = {name: code_lines((ROOT / f"core/src/bridge_core/{name}.py").read_text("utf-8")) for name in KERNEL}
    assert sum(lines.values()) <= MAX_KERNEL, lines


def test_code_lines_leave_out_blanks_comments_and_docstrings() -> None:
    text = '"""Doc."""\n\n# why\nx = [\n    1,\n\n    # why\n]  # more\n"""About\nx."""\ny = """a\n\nb"""\n'
    assert code_lines(text) == 3 + 3
