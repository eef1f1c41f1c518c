"""A loaded model: what the session's object store holds, and what calls in several threads use at once."""

from __future__ import annotations

import threading
from typing import Any, Literal, TypeAlias

from bridge_core import CallContext

from ._errors import TransformersModelUnloadedError

__all__ = ["LoadedModel", "Task"]

Task: TypeAlias = Literal["generation", "embeddings"]


class LoadedModel:
    """A model with its tokenizer; any number of threads may use it.

    Args:
        model: What transformers made.
        tokenizer: Its tokenizer.
        task: What it was loaded for.
        directory: Where it was loaded from.
        context_length: Tokens that it can look at; None if it knows no limit.
    """

    def __init__(self, model: Any, tokenizer: Any, *, task: Task, directory: str, context_length: int | None) -> None:
        self.model = model
        self.task = task
        self.context_length = context_length
        self._tokenizer = tokenizer
        self._directory = directory
        self._unloaded = threading.Event()
        # The tokenizers of transformers 4 fail when two threads use one: "Already borrowed".
        self._lock = threading.Lock()

    def encode(self, text: str) -> list[int]:
        """Return the tokens of a text, with those that the model wants around it."""
        with self._lock:
            tokens: list[int] = self._tokenizer.encode(text, verbose=False)
        return tokens

    def decode(self, tokens: list[int]) -> str:
        """Return the text of tokens, without those that are no text."""
        with self._lock:
            text: str = self._tokenizer.decode(tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        return text

    def unload(self) -> None:
        """Let calls that use the model end."""
        self._unloaded.set()

    def still_wanted(self, ctx: CallContext) -> None:
        """Return if a call should go on with the model.

        Raises:
            CallCancelledError, CallTimeoutError: The answer is no longer wanted, or late.
            TransformersModelUnloadedError: The model was unloaded.
        """
        ctx.check()
        if self._unloaded.is_set():
            raise TransformersModelUnloadedError(f"{ctx.operation}: the model was unloaded meanwhile; load it again")

    def describe(self) -> dict[str, Any]:
        """Return what peers may want to know of it."""
        return {
            "task": self.task,
            "architecture": type(self.model).__name__,
            "directory": self._directory,
            "device": str(self.model.device),
            "dtype": str(self.model.dtype).removeprefix("torch."),
            "parameters": self.model.num_parameters(),
            "context_length": self.context_length,
        }
