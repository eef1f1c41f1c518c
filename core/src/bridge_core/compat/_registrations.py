"""What a function registers, as far as its source shows it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from ._shapes import STORES

if TYPE_CHECKING:
    from typing import TypeAlias

__all__ = ["DEFINITIONS", "Registration", "own_nodes", "registrations_in", "stray_registrations"]

DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_REGISTERS = re.compile(r"(self|super\(\))\._?register")
_HANDLERS = (ast.Attribute, ast.Name, ast.Lambda, ast.Call, *DEFINITIONS)
_Pair: TypeAlias = "tuple[ast.expr | None, ast.AST | None]"


class Registration(Struct, frozen=True):
    """One handler, or a place that may register handlers, which only running it would show."""

    line: int
    name: str | None
    """As peers say it; None if it cannot be read."""
    handler: Any = None
    """Its node."""


def registrations_in(function: ast.AST) -> Iterator[Registration]:
    """Yield what a function registers that registers: by calls, decorators, dicts and items of dicts."""
    own = list(own_nodes(function))
    kept = {one.id for one in own if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)}
    for node in own:
        for key, handler in _pairs(node, kept):
            line = getattr(key or handler or node, "lineno", 0) or getattr(node, "lineno", 0)
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                if isinstance(handler, _HANDLERS):
                    yield Registration(line, key.value, handler)
            elif handler is None or isinstance(handler, _HANDLERS):
                yield Registration(line, None)


def stray_registrations(function: ast.AST) -> Iterator[Registration]:
    """Yield the calls that register in a function that is there for something else."""
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("self.register_handler", "self.register_command"):
            yield Registration(node.lineno, None)


def own_nodes(function: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes of a function without those of functions in it."""
    for node in ast.iter_child_nodes(function):
        yield node
        if not isinstance(node, (*DEFINITIONS, ast.Lambda)):
            yield from own_nodes(node)


def _pairs(node: ast.AST, kept: set[str]) -> Iterator[_Pair]:
    """Yield the names and handlers in a node; neither, or a name that is no constant, for what cannot be read."""
    if isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            if key is not None:
                yield key, value
            elif not _is_read(value, kept):
                yield None, None
    elif isinstance(node, ast.DictComp):
        yield None, None
    elif isinstance(node, ast.Call):
        yield from _called(node, kept)
    elif isinstance(node, DEFINITIONS):
        for one in node.decorator_list:
            if isinstance(one, ast.Call) and _REGISTERS.match(ast.unparse(one.func)):
                yield (one.args[0], node) if len(one.args) == 1 and not one.keywords else (None, None)
    elif isinstance(node, (ast.Assign, ast.AnnAssign, ast.AugAssign)) and node.value is not None:
        target = node.targets[0] if isinstance(node, ast.Assign) else node.target
        if isinstance(target, ast.Subscript):
            yield target.slice, node.value
        elif _is_store(target) and not _is_read(node.value, kept):
            yield None, None
    elif isinstance(node, ast.Return) and node.value is not None and not _is_read(node.value, kept):
        yield None, None


def _called(node: ast.Call, kept: set[str]) -> Iterator[_Pair]:
    """Yield what a call registers: `self.register…(name, handler)`, `….setdefault(…)`, `….update(…)` and `dict(…)`."""
    method = node.func.attr if isinstance(node.func, ast.Attribute) else ""
    registers = _REGISTERS.match(ast.unparse(node.func)) is not None
    if registers or method == "setdefault":
        if len(node.args) == 2 and not node.keywords:
            yield node.args[0], node.args[1]
        elif registers:
            yield None, None
    elif method == "update" or (isinstance(node.func, ast.Name) and node.func.id == "dict"):
        for word in node.keywords:
            if word.arg is not None:
                yield ast.copy_location(ast.Constant(word.arg), word), word.value
            elif not _is_read(word.value, kept):
                yield None, None
        if any(not _is_read(one, kept) for one in node.args):
            yield None, None


def _is_store(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and node.attr in STORES


def _is_read(node: ast.expr, kept: set[str]) -> bool:
    """Return whether what a value has is found elsewhere: in the dict or call that it is, or where it was filled."""
    if isinstance(node, ast.Call):
        return (isinstance(node.func, ast.Name) and node.func.id == "dict") or _REGISTERS.match(
            ast.unparse(node.func)
        ) is not None
    if isinstance(node, ast.Name):
        return node.id in kept
    return isinstance(node, (ast.Dict, ast.DictComp, ast.Constant)) or _is_store(node)
