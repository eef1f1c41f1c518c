"""Operations made of old handlers: any arguments, and answers that may say that they are errors."""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import aclosing, closing
from typing import TYPE_CHECKING, Any

from bridge_core._context import CallContext
from bridge_core.errors import HandlerRaisedError
from bridge_core.hookspecs import Handler

from ._answers import checked
from ._conventions import Call, call_of

if TYPE_CHECKING:
    from typing import TypeAlias

__all__ = ["handler_of", "streams", "summary_of"]

Ready: TypeAlias = Callable[[Callable[[str], None]], None]


def handler_of(old: Callable[..., Any], ready: Ready) -> Handler:
    """Return a handler of hook API 1 that calls an old one, which may be a generator, `async def`, or both.

    Args:
        old: The handler as it was registered.
        ready: Called before it, with a function that reports progress: initialises the framework unless that is done.

    Raises:
        TypeError: It cannot be called as old handlers are.
    """
    call = call_of(old)
    if _is(inspect.isasyncgenfunction, old):
        return _async_chunks(call, ready)
    if _is(inspect.iscoroutinefunction, old):
        return _async(call, ready)
    if streams(old):
        return _chunks(call, ready)
    return _plain(call, ready)


def streams(old: Callable[..., Any]) -> bool:
    """Return whether an old handler is a generator."""
    return _is(inspect.isgeneratorfunction, old) or _is(inspect.isasyncgenfunction, old)


def summary_of(old: Callable[..., Any], name: str) -> str:
    """Return the first line of an old handler's docstring, or what can be said without one."""
    documented = old if inspect.isroutine(old) else getattr(old, "func", type(old).__call__)
    doc = inspect.getdoc(documented) if inspect.isroutine(documented) else None
    return (doc or "").partition("\n")[0].strip() or f"{name}, as the class that was brought does it."


def _is(question: Callable[[Any], bool], old: Callable[..., Any]) -> bool:
    return question(old) or question(getattr(old, "__call__", None))  # noqa: B004 — the function behind an instance


def _plain(call: Call, ready: Ready) -> Handler:
    def handler(ctx: CallContext, /, **arguments: Any) -> Any:
        ready(ctx.progress)
        answer = call(ctx, arguments)
        if inspect.iscoroutine(answer):
            answer.close()
            raise HandlerRaisedError(f"the handler of {ctx.operation} gave a coroutine; write it with `async def`")
        return checked(answer, ctx.operation)

    return handler


def _chunks(call: Call, ready: Ready) -> Handler:
    def handler(ctx: CallContext, /, **arguments: Any) -> Generator[Any, None, Any]:
        ready(ctx.progress)
        with closing(call(ctx, arguments)) as chunks:
            while True:
                try:
                    chunk = next(chunks)
                except StopIteration as stop:
                    return checked(stop.value, ctx.operation)
                yield checked(chunk, ctx.operation)

    return handler


def _async(call: Call, ready: Ready) -> Handler:
    async def handler(ctx: CallContext, /, **arguments: Any) -> Any:
        await _aside(ready, ctx)
        return checked(await call(ctx, arguments), ctx.operation)

    return handler


def _async_chunks(call: Call, ready: Ready) -> Handler:
    async def handler(ctx: CallContext, /, **arguments: Any) -> AsyncGenerator[Any, None]:
        await _aside(ready, ctx)
        async with aclosing(call(ctx, arguments)) as chunks:
            async for chunk in chunks:
                yield checked(chunk, ctx.operation)

    return handler


async def _aside(ready: Ready, ctx: CallContext) -> None:
    """Wait until the framework is there, in another thread: it may take long."""
    from asyncio import get_running_loop  # the loop that runs this has imported it

    await get_running_loop().run_in_executor(None, ready, ctx.progress)
