"""Types of fields: which expressions are one, and how a type is written.

A language model's answer is text, and JSON below that. So there are no types here that no answer can have, and none
that DSPy would silently take for another: everything that is accepted means what it says.
"""

from __future__ import annotations

import ast
import typing
from typing import Any

__all__ = ["MAX_TYPE_LENGTH", "type_name", "type_problem"]

MAX_TYPE_LENGTH = 500
_DATES = {"datetime.date", "datetime.datetime", "datetime.time", "datetime.timedelta"}
_PLAIN = {"Any", "bool", "float", "int", "str", "dspy.History"} | _DATES
# How many types stand in the brackets.
_ARITIES = {"list": 1, "List": 1, "set": 1, "Set": 1, "dict": 2, "Dict": 2, "Optional": 1}
_BARE = {"list", "set", "dict", "tuple"}
_SUBSCRIPTED = {*_ARITIES, "tuple", "Tuple", "Union", "Literal"}
_KEYS = {"Any", "bool", "float", "int", "str"} | _DATES
_UNHASHABLE = {"list", "List", "set", "Set", "dict", "Dict", "dspy.History"}
_ALLOWED = ", ".join(sorted(_PLAIN | _BARE | _SUBSCRIPTED))
_SPELLINGS: dict[Any, str] = {None: "None", type(None): "None", ...: "...", Any: "Any"}


def type_problem(text: str) -> str | None:
    """Say what is wrong with a type, or return None.

    DSPy's own parser would import whatever the text names.
    """
    try:
        expression = ast.parse(text.strip(), mode="eval").body
        written = ast.unparse(expression)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return f"{text!r} is no type made of {_ALLOWED}"
    if len(written) > MAX_TYPE_LENGTH:
        return f"a type has at most {MAX_TYPE_LENGTH} characters"
    if "->" in text:
        return f"{text!r} has an arrow, which DSPy takes for the one of the signature"
    if _is_none(expression):
        return f"{written!r} has no value but None, and DSPy takes it for text"
    return _problem(expression) or _lost_text_problem(expression)


def type_name(annotation: Any) -> str:
    """Write a type the way `create_program` takes it."""
    arguments = typing.get_args(annotation)
    origin = typing.get_origin(annotation)
    if origin is typing.Literal:
        return f"Literal[{', '.join(map(repr, arguments))}]"
    if origin is typing.Union:
        return " | ".join(map(type_name, arguments))
    if origin is not None:
        return f"{origin.__name__}[{', '.join(map(type_name, arguments))}]"
    if annotation in _SPELLINGS:
        return _SPELLINGS[annotation]
    top = annotation.__module__.partition(".")[0]
    return str(annotation.__name__) if top in ("builtins", "typing") else f"{top}.{annotation.__name__}"


def _problem(node: ast.expr) -> str | None:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return _problem(node.left) or _problem(node.right)
    if isinstance(node, ast.Constant) and node.value is None:
        return None
    if isinstance(node, ast.Subscript):
        return _subscript_problem(node)
    name = _name(node)
    return None if name in _PLAIN | _BARE else f"{ast.unparse(node)!r} is no type made of {_ALLOWED}"


def _subscript_problem(node: ast.Subscript) -> str | None:
    name, parts, written = _name(node.value), _parts(node), ast.unparse(node)
    if name == "Literal":
        return next(filter(None, map(_literal_problem, parts)), None) if parts else f"{written!r} has no value"
    if name not in _SUBSCRIPTED:
        return f"{ast.unparse(node.value)!r} takes no brackets"
    if name in ("tuple", "Tuple") and len(parts) == 2 and _is_ellipsis(parts[1]):
        parts = parts[:1]
    if not _fits(name, len(parts)):
        wanted = _ARITIES.get(name, "at least 2" if name == "Union" else "at least 1")
        return f"{written!r} has {len(parts)} types in its brackets, not {wanted}"
    if name in ("dict", "Dict") and not _is_key(parts[0]):
        return f"{written!r}: keys are {', '.join(sorted(_KEYS))} or a Literal of texts, for JSON has no others"
    if name in ("set", "Set") and not _is_hashable(parts[0]):
        return f"{written!r}: no set can have such members"
    return next(filter(None, map(_problem, parts)), None)


def _fits(name: str, count: int) -> bool:
    if name == "Union":
        return count > 1
    return count == _ARITIES[name] if name in _ARITIES else count > 0


def _literal_problem(node: ast.expr) -> str | None:
    value = node.value if isinstance(node, ast.Constant) else None
    if isinstance(value, int):
        return None
    if not isinstance(value, str):
        return f"{ast.unparse(node)!r} is no text, whole number, True or False, which are what a Literal has"
    if not value.isprintable() or value != value.strip() or not value or "[[ ##" in value or "`" in value:
        return f"the text {value!r} in a Literal is empty or has breaks, outer spaces or marks that DSPy's prompts lose"
    return None


def _lost_text_problem(node: ast.expr) -> str | None:
    """Refuse texts that an answer cannot have beside other types: DSPy would read `11` as a number then."""
    members = _members(node)
    if members == [node]:
        return None
    literals = [part for one in members if isinstance(one, ast.Subscript) and _name(one.value) == "Literal"
                for part in _parts(one)]  # fmt: skip
    texts = [part.value for part in literals if isinstance(part, ast.Constant) and isinstance(part.value, str)]
    lost = next((text for text in texts if not _is_read_as_text(text)), None)
    return None if lost is None else f"the text {lost!r} beside other types would be read as another value"


def _members(node: ast.expr) -> list[ast.expr]:
    """Return the types of a union, those of unions in it too; of another type that one."""
    if isinstance(node, ast.BinOp):
        return [*_members(node.left), *_members(node.right)]
    if isinstance(node, ast.Subscript) and _name(node.value) in ("Optional", "Union"):
        return [member for part in (*_parts(node), ast.Constant(None)) for member in _members(part)]
    return [node]


def _is_read_as_text(text: str) -> bool:
    """Say whether DSPy's `parse_value` leaves a text as it is."""
    import json_repair  # what DSPy reads with; DSPy brings it

    read: Any = json_repair.loads(text)
    if read == "":
        try:
            read = ast.literal_eval(text)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            return True
    return bool(read == text)


def _name(node: ast.expr) -> str:
    return ast.unparse(node) if isinstance(node, (ast.Name, ast.Attribute)) else ""


def _parts(node: ast.Subscript) -> list[ast.expr]:
    return node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]


def _is_ellipsis(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is ...


def _is_none(node: ast.expr) -> bool:
    """Say whether None is the type's only value."""
    if isinstance(node, ast.BinOp):
        return _is_none(node.left) and _is_none(node.right)
    if isinstance(node, ast.Subscript) and _name(node.value) in ("Optional", "Union"):
        return all(map(_is_none, _parts(node)))
    return isinstance(node, ast.Constant) and node.value is None


def _is_key(node: ast.expr) -> bool:
    if isinstance(node, ast.Subscript) and _name(node.value) == "Literal":
        return all(isinstance(part, ast.Constant) and isinstance(part.value, str) for part in _parts(node))
    return _name(node) in _KEYS


def _is_hashable(node: ast.expr) -> bool:
    """Say whether all values of a type can be in a set."""
    if isinstance(node, ast.BinOp):
        return _is_hashable(node.left) and _is_hashable(node.right)
    if isinstance(node, ast.Subscript):
        name = _name(node.value)
        return name == "Literal" or (name not in _UNHASHABLE and all(map(_is_hashable, _parts(node))))
    return _name(node) not in _UNHASHABLE
