"""Pieces of Python source, laid out as the formatter would."""

from __future__ import annotations

import builtins
import keyword
from collections.abc import Iterable, Sequence

from ._parameters import Parameter

__all__ = ["WIDTH", "docstring", "function_name", "imports", "printable", "quoted", "signature", "text_of", "texts_of"]

WIDTH = 120


def text_of(value: str) -> str:
    """Return a text as a literal with double quotes."""
    literal = repr(value)
    if literal[0] == "'" and '"' not in value:
        literal = '"' + literal[1:-1].replace("\\'", "'") + '"'
    return literal


def texts_of(values: Sequence[str]) -> str:
    """Return texts as a tuple."""
    return "(" + ", ".join(map(text_of, values)) + ("," if len(values) == 1 else "") + ")"


def imports(module: str, names: Iterable[str]) -> str:
    """Return the import of names from a module, sorted: classes first."""
    listed = sorted(names, key=lambda name: (name[0].islower(), name))
    line = f"from {module} import {', '.join(listed)}\n"
    if len(line) > WIDTH + 1:
        line = f"from {module} import (\n" + "".join(f"    {one},\n" for one in listed) + ")\n"
    return line


def function_name(operation: str) -> str:
    """Return a name for an operation's function, which hides nothing of Python's."""
    taken = keyword.iskeyword(operation) or hasattr(builtins, operation) or operation in ("annotations", "plugin")
    return f"{operation}_" if taken else operation


def printable(text: str, *, keep: str = "\n\t") -> str:
    """Return a text with spaces for what source must not have, such as NUL and halves of characters."""
    return "".join(one if one.isprintable() or one in keep else " " for one in text)


def docstring(text: str, *, indent: int = 4) -> str:
    """Return a docstring's lines."""
    escaped = printable(text).strip().replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    if escaped.endswith('"'):
        escaped = escaped[:-1] + '\\"'
    lines = [line.rstrip() for line in escaped.expandtabs(4).splitlines()]
    margin = " " * indent
    if len(lines) == 1:
        return f'{margin}"""{lines[0]}"""\n'
    rest = "".join(f"{margin}{line}\n" if line else "\n" for line in lines[1:])
    return f'{margin}"""{lines[0]}\n{rest}{margin}"""\n'


def quoted(title: str, source: str, *, indent: int = 4) -> str:
    """Return old source as a comment below a title."""
    margin = " " * indent
    lines = [line.rstrip() for line in source.expandtabs(4).splitlines()] or ["pass"]
    return f"{margin}# {printable(title, keep='')}\n{margin}#\n" + "".join(
        f"{margin}#     {line}\n" if line else f"{margin}#\n" for line in lines
    )


def signature(start: str, first: str, parameters: Sequence[Parameter], returned: str) -> str:
    """Return the head of a function with keyword-only parameters: in one line if it fits, else one in each."""
    written = [one.written() for one in parameters]
    inside = [*filter(None, [first]), *(["*", *written] if written else [])]
    line = f"{start}({', '.join(inside)}) -> {returned}:"
    if len(line) <= WIDTH:
        return f"{line}\n"
    middle = "    " + ", ".join(inside)
    if len(middle) <= WIDTH and not written:
        return f"{start}(\n{middle}\n) -> {returned}:\n"
    return f"{start}(\n" + "".join(f"    {one},\n" for one in inside) + f") -> {returned}:\n"
