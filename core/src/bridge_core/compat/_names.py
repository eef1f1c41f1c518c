"""Names of old bridges, which may be anything, and those that operations and frameworks may have here."""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = ["EVERY_WORKERS", "distribution_name", "framework_name", "is_taken", "operation_names"]

EVERY_WORKERS = frozenset(["get_capabilities", "get_stats", "ping", "shutdown"])
"""What old bridges register too, and every worker answers itself."""

_OURS = frozenset(["core", "dspy", "langchain", "transformers"])
_OPERATION = re.compile(r"[a-z][a-z0-9_]*")
_HUMPS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_OTHERS = re.compile(r"[^A-Za-z0-9]+")


def operation_names(given: Iterable[str]) -> dict[str, str]:
    """Return each given name with that of its operation: itself if it may be one, else one made of it.

    `createThing` becomes `create_thing`, `do-it` becomes `do_it`, or `do_it_2` where that is taken.
    """
    names = list(dict.fromkeys(given))
    found = {name: name for name in names if _OPERATION.fullmatch(name)}
    taken = set(found)
    for name in names:
        if name not in found:
            plain = _identifier(_HUMPS.sub("_", name)) or "operation"
            free = plain
            number = 1
            while free in taken:
                number += 1
                free = f"{plain}_{number}"
            found[name] = free
            taken.add(free)
    return {name: found[name] for name in names}


def framework_name(*candidates: object) -> str:
    """Return the first of the candidates that has letters, as the lower-case identifier that it makes."""
    for candidate in candidates:
        if isinstance(candidate, str) and (name := _identifier(candidate)):
            return name
    return "bridge"


def distribution_name(framework: str) -> str:
    """Return the name of the distribution with a framework's plugin: `bridge-foo`."""
    return f"bridge-{framework.replace('_', '-')}"


def is_taken(framework: str) -> bool:
    """Return whether the distribution or the package of that framework would replace one of ours."""
    return framework in _OURS


def _identifier(text: str) -> str:
    """Return what is left of a text when only lower-case letters, digits and single underscores may be."""
    return _OTHERS.sub("_", text).strip("_").lower().lstrip("0123456789_")
