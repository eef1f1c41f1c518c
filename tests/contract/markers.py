"""What tests say they prove, by markers."""

from __future__ import annotations

import ast

__all__ = ["marked"]


def marked(tree: ast.AST, marker: str) -> set[str]:
    """Return the words that the markers of this name in a test module carry."""
    return {
        argument.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(f"mark.{marker}")
        for argument in node.args
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    }
