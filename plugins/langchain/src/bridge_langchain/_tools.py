"""The tools that agents may have: small, without side effects, and in the worker."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any, Literal

ToolName = Literal["calculator", "current_time"]

_MAX_LENGTH = 200
_MAX_BITS = 4096
_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}
_UNARY: dict[type[ast.unaryop], Callable[[Any], Any]] = {ast.UAdd: operator.pos, ast.USub: operator.neg}


def calculator(expression: str) -> str:
    """Calculate an arithmetic expression of numbers, + - * / // % ** and brackets, such as (2 + 3) * 4."""
    try:
        if len(expression) > _MAX_LENGTH:
            raise ValueError(f"an expression has at most {_MAX_LENGTH} characters")
        return str(_value(ast.parse(expression.strip(), mode="eval").body))
    except (ValueError, SyntaxError, ArithmeticError) as exc:
        return f"error: {exc}"  # for the model, which may do better next time


def current_time() -> str:
    """Tell the current date and time in UTC, in ISO 8601."""
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


TOOLS: dict[str, Callable[..., str]] = {"calculator": calculator, "current_time": current_time}


def _value(node: ast.expr) -> Any:
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        return _bounded(node.value)
    if isinstance(node, ast.UnaryOp) and type(node.op) in _UNARY:
        return _bounded(_UNARY[type(node.op)](_value(node.operand)))
    if isinstance(node, ast.BinOp) and type(node.op) in _BINARY:
        left, right = _value(node.left), _value(node.right)
        if isinstance(node.op, ast.Pow) and abs(right) * _bits(left) > _MAX_BITS:
            raise ValueError("the power is too large")
        return _bounded(_BINARY[type(node.op)](left, right))
    raise ValueError(f"{ast.unparse(node)!r} is no number, and no sum, difference, product, quotient or power of some")


def _bounded(value: Any) -> Any:
    boundless = isinstance(value, complex) or (isinstance(value, float) and not math.isfinite(value))
    if boundless or _bits(value) > _MAX_BITS:
        raise ValueError("the result is no number, or too large a one")
    return value


def _bits(value: float) -> int:
    return value.bit_length() if isinstance(value, int) else 1
