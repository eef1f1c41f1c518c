"""What tests say they prove, by markers on them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TypeGuard

__all__ = ["marked", "stray"]

_UNPROVEN = ("mark.skip", "mark.skipif", "mark.xfail")


def marked(tree: ast.Module, marker: str) -> set[str]:
    """Return the words that the markers of this name carry: those that stand on tests which exist and are run."""
    return {word for node in _on_tests(tree) for word in _words(node, marker)}


def stray(tree: ast.Module, marker: str) -> list[int]:
    """Return the lines of markers that stand on nothing that pytest collects, or on a test that is not run."""
    counted = {node for expression in _on_tests(tree) for node in ast.walk(expression)}
    return [node.lineno for node in ast.walk(tree) if _is(node, marker) and node not in counted]


def _on_tests(tree: ast.Module) -> Iterator[ast.expr]:
    """Yield what is said of tests: their decorators, those of their classes, and the module's `pytestmark`."""
    tests = list(_tests(tree))
    for node in tree.body:
        if tests and isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "pytestmark":
            yield node.value
    for node in tests:
        yield from node.decorator_list


def _tests(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.ClassDef]:
    """Yield the test functions, and the classes that have or inherit some."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
            own = [inner for inner in node.body if _is_test(inner)]
            if own or node.bases:
                yield node
            yield from own
        elif _is_test(node):
            yield node


def _is_test(node: ast.stmt) -> TypeGuard[ast.FunctionDef]:
    if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) or not node.name.startswith("test_"):
        return False
    return not any(name in ast.unparse(decorator) for decorator in node.decorator_list for name in _UNPROVEN)


def _is(node: ast.AST, marker: str) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func).endswith(f"mark.{marker}")


def _words(expression: ast.expr, marker: str) -> Iterator[str]:
    for node in ast.walk(expression):
        if isinstance(node, ast.Call) and _is(node, marker):
            for argument in node.args:
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                    yield argument.value
