"""One streamed execution: DSPy's asynchronous stream, consumed from the call's own thread.

Each stream has an event loop and a language model object of its own. Costs a connection (and, to an https server,
a handshake) per stream, and buys that closing the stream early closes the connection at once: the provider stops
generating, and neither a thread nor a socket stays behind. DSPy's other way, a worker thread per stream, cannot be
interrupted while the model is silent, and event loops that know nothing of each other share its limiter of eight.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Generator
from contextlib import aclosing
from typing import Any

from bridge_core import CallContext

from ._lm import model_of

# How long a cancelled call or a passed deadline may go unnoticed while the model is silent.
_ATTENTION = 0.1


def stream_program(ctx: CallContext, module: Any, inputs: dict[str, Any]) -> Generator[dict[str, str], None, Any]:
    """Yield `{"field", "text"}` pieces as the model writes them; return the prediction.

    The pieces of a text field, joined, are its value.

    Raises:
        CallCancelledError: The answer is no longer wanted.
        CallTimeoutError: The deadline passed.
    """
    arrived: deque[Any] = deque()
    loop = asyncio.new_event_loop()
    task = loop.create_task(_consume(ctx, module, inputs, arrived))
    task.add_done_callback(lambda _: loop.stop())
    try:
        spoken: set[str] = set()
        while not task.done():
            _advance(ctx, loop)
            while arrived:
                piece = arrived.popleft()
                spoken.add(piece["field"])
                yield piece
        prediction = task.result()
        # A model that answers in one piece gives DSPy's listeners nothing to hear.
        for field, value in prediction.items():
            if isinstance(value, str) and value and field not in spoken:
                yield {"field": field, "text": value}
        return prediction
    finally:
        _finish(loop, task)


def _advance(ctx: CallContext, loop: asyncio.AbstractEventLoop) -> None:
    """Run the loop until something has arrived, the stream has ended or attention is due."""
    ctx.check()
    remaining = ctx.remaining()
    timer = loop.call_later(_ATTENTION if remaining is None else min(_ATTENTION, remaining), loop.stop)
    loop.run_forever()
    timer.cancel()


async def _consume(ctx: CallContext, module: Any, inputs: dict[str, Any], arrived: deque[Any]) -> Any:
    """Put the pieces where the thread finds them, stopping the loop for each; return the prediction.

    While the thread is busy with a piece the loop does not run: a slow peer slows the model down, nothing piles up.
    """
    import dspy

    loop = asyncio.get_running_loop()
    model = model_of(ctx.session)
    lm = model.separate() if model else None
    listeners = [
        dspy.streaming.StreamListener(signature_field_name=field, predict=predictor, predict_name=name)
        for name, predictor in module.named_predictors()
        for field in predictor.signature.output_fields
    ]
    streamed = dspy.streamify(module, stream_listeners=listeners, is_async_program=True)
    prediction = None
    try:
        with dspy.context(lm=lm):
            async with aclosing(streamed(**inputs)) as items:
                async for item in items:
                    if isinstance(item, dspy.Prediction):
                        prediction = item
                    elif isinstance(item, dspy.streaming.StreamResponse) and isinstance(item.chunk, str) and item.chunk:
                        arrived.append({"field": item.signature_field_name, "text": item.chunk})
                        loop.stop()
    finally:
        if lm is not None:
            await lm.aclose()
    return prediction


def _finish(loop: asyncio.AbstractEventLoop, task: asyncio.Task[Any]) -> None:
    """End the stream, wherever it is, and give back everything it holds."""
    task.cancel()
    while not task.done():
        loop.run_forever()
    loop.call_soon(loop.stop)
    loop.run_forever()  # takes a stop that is still due, which would end one of the next lines too early
    if not task.cancelled():
        task.exception()  # seen: asyncio logs those that nobody looked at
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()
