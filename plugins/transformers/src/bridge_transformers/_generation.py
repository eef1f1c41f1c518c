"""Generation: a model continues a prompt, and can be stopped at each token.

It runs in the thread of its call, several at a time on one model: long texts do not hold up short ones, and what runs
on the main thread (to unload the model, for example) does not wait. That costs nothing: on two cores, a model of 70
million parameters writes 50 tokens a second alone, 80 in two calls and 70 in eight. (One of 0.1 million, which only
tests have, writes 1,300 alone and 400 in eight calls.)
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from queue import SimpleQueue
from threading import Event, Semaphore
from typing import Annotated, Any, TypeAlias

import msgspec
from msgspec import Meta

from bridge_core import CallContext
from bridge_core.errors import InvalidArgumentsError

from ._errors import TransformersWrongTaskError
from ._loaded import LoadedModel
from ._models import ModelId, find_model
from ._pieces import TextPieces
from ._settings import MaxLength, MaxNewTokens, Settings, Temperature, TopK, TopP

__all__ = ["Generation", "call_model", "generate"]

# How many tokens a model may be ahead of a peer that reads slowly.
_AHEAD = 16

Prompt: TypeAlias = Annotated[str, Meta(min_length=1, max_length=4_000_000)]


def generate(
    ctx: CallContext,
    *,
    model_id: ModelId,
    prompt: Prompt,
    max_length: MaxLength = 100,
    max_new_tokens: MaxNewTokens | None = None,
    do_sample: bool = False,
    temperature: Temperature | None = None,
    top_p: TopP | None = None,
    top_k: TopK | None = None,
) -> dict[str, Any] | Generator[dict[str, str], None, dict[str, Any]]:
    """Continue a prompt; streamed, the text arrives in pieces first."""
    settings = Settings(
        max_length=max_length,
        max_new_tokens=max_new_tokens,
        do_sample=do_sample,
        temperature=temperature,
        top_p=top_p,
        top_k=top_k,
    )
    settings.check("$")
    model = find_model(ctx, model_id, task="generation")
    generation = Generation(ctx, model, prompt, settings, path="$.prompt")
    if ctx.streaming:
        return _streamed(model_id, generation)
    generation.run()
    return {"model_id": model_id, **generation.answer()}


def call_model(ctx: CallContext, model: LoadedModel, /, prompt: str, **settings: Any) -> dict[str, Any]:
    """Have a model that a dynamic call names (`stored.<id>`) continue a prompt; settings are those of `generate`."""
    if model.task != "generation":
        raise TransformersWrongTaskError(f"the model was loaded for {model.task}; load it with task='generation'")
    try:
        given = msgspec.convert(settings, Settings)
    except msgspec.ValidationError as exc:
        raise InvalidArgumentsError(f"$.kwargs: {exc}", path="$.kwargs") from None
    given.check("$.kwargs")
    generation = Generation(ctx, model, prompt, given, path="$.args[0]")
    generation.run()
    return generation.answer()


def _streamed(model_id: str, generation: Generation) -> Generator[dict[str, str], None, dict[str, Any]]:
    for piece in generation.pieces():
        yield {"text": piece}
    return {"model_id": model_id, **generation.answer()}


class _ClosedError(Exception):
    """Nobody listens any more."""


class Generation:
    """One prompt and what a model makes of it; either `run` it, or go through its `pieces`.

    Args:
        ctx: Says whether the text is still wanted.
        model: Loaded for this task.
        prompt: The beginning of the text.
        settings: How to go on.
        path: Where the prompt is in the arguments.

    Raises:
        InvalidArgumentsError: The prompt has no token.
        TransformersContextExceededError: It has too many.
    """

    def __init__(self, ctx: CallContext, model: LoadedModel, prompt: str, settings: Settings, *, path: str) -> None:
        self._ctx = ctx
        self._model = model
        self._prompt = model.encode(prompt)
        if not self._prompt:
            raise InvalidArgumentsError(f"{path}: it has no token that the model knows", path=path)
        self._options = settings.options(len(self._prompt), model.context_length)
        self._tokens: list[int] = []

    def run(self, hear: Callable[[int], None] = lambda token: None) -> None:
        """Generate the text in this thread.

        Args:
            hear: Called with each token; may raise.

        Raises:
            CallCancelledError, CallTimeoutError: The text is no longer wanted, or late.
            TransformersModelUnloadedError: The model was unloaded.
        """
        import torch

        model = self._model.model
        prompt = torch.tensor([self._prompt], device=model.device)
        go_on = torch.zeros(1, dtype=torch.bool, device=model.device)

        def watch(tokens: Any, scores: Any, **more: Any) -> Any:
            self._model.still_wanted(self._ctx)
            self._tokens.append(int(tokens[0, -1]))
            hear(self._tokens[-1])
            return go_on

        model.generate(prompt, attention_mask=torch.ones_like(prompt), stopping_criteria=[watch], **self._options)

    def pieces(self) -> Iterator[str]:
        """Generate the text in a thread of its own and yield it in pieces; closed early, the model stops."""
        from concurrent.futures import ThreadPoolExecutor  # loaded already where calls run in threads

        arrived: SimpleQueue[int | None] = SimpleQueue()
        room, closed = Semaphore(_AHEAD), Event()
        text = TextPieces(self._model.decode)

        def hear(token: int) -> None:
            room.acquire()
            if closed.is_set():
                raise _ClosedError
            arrived.put(token)

        with ThreadPoolExecutor(1, thread_name_prefix="bridge-generate") as executor:
            running = executor.submit(self.run, hear)
            running.add_done_callback(lambda _: arrived.put(None))
            try:
                while (token := arrived.get()) is not None:
                    room.release()
                    if piece := text.add(token):
                        yield piece
                running.result()
                if piece := text.rest():
                    yield piece
            finally:
                closed.set()
                room.release()

    def answer(self) -> dict[str, Any]:
        """Return the text, why it ended and how many tokens it took."""
        ends = self._model.model.generation_config.eos_token_id
        ended = self._tokens[-1] in (ends if isinstance(ends, list) else [ends])
        read, written = len(self._prompt), len(self._tokens)
        return {
            "text": self._model.decode(self._tokens),
            "finish_reason": "stop" if ended else "length",
            "usage": {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written},
        }
