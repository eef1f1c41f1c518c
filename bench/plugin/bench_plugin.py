"""The framework of the benchmark: operations with typed arguments that give back what they are given."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bridge_core import FrameworkInfo, Register, hookimpl

BRIDGE_HOOK_API = 1


@hookimpl
def bridge_framework_info() -> FrameworkInfo:
    return FrameworkInfo(name="bench", distribution="bench-plugin", version="0.1.0", deterministic=True)


@hookimpl
def bridge_register_handlers(register: Register) -> None:
    register("echo", echo)
    register("text", text)
    register("floats", floats)
    register("array", array)
    register("chunks", chunks, streaming=True)


def echo(*, value: Any) -> Any:
    """Return the value."""
    return value


def text(*, text: str) -> str:
    """Return the text."""
    return text


def floats(*, data: list[float]) -> list[float]:
    """Return the numbers."""
    return data


def array(*, data: bytes) -> bytes:
    """Return the bytes of an array."""
    return data


def chunks(*, count: int) -> Iterator[dict[str, int]]:
    """Yield as many small chunks."""
    for number in range(count):
        yield {"i": number}
