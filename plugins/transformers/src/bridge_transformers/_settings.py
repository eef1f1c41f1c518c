"""How a text is generated: how long it may get, and how the next token is chosen."""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

import msgspec
from msgspec import Meta

from bridge_core.errors import InvalidArgumentsError

from ._errors import TransformersContextExceededError

__all__ = ["MaxLength", "MaxNewTokens", "Settings", "Temperature", "TopK", "TopP"]

MaxLength: TypeAlias = Annotated[
    int, Meta(ge=1, le=1 << 31, description="tokens of prompt and text together; max_new_tokens, if given, decides")
]
MaxNewTokens: TypeAlias = Annotated[int, Meta(ge=1, le=1 << 31, description="tokens of the text")]
Temperature: TypeAlias = Annotated[float, Meta(ge=0.01, le=100, description="needs do_sample")]
TopP: TypeAlias = Annotated[float, Meta(gt=0, le=1, description="needs do_sample")]
TopK: TypeAlias = Annotated[int, Meta(ge=1, le=1 << 31, description="needs do_sample")]


class Settings(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Settings of a generation; the tokens that a model's author wants penalised or left out are not among them."""

    max_length: MaxLength = 100
    max_new_tokens: MaxNewTokens | None = None
    do_sample: bool = False
    temperature: Temperature | None = None
    top_p: TopP | None = None
    top_k: TopK | None = None

    def check(self, path: str) -> None:
        """Return if the settings fit together.

        Args:
            path: Where they are in the arguments.

        Raises:
            InvalidArgumentsError: One would have no effect.
        """
        for name in () if self.do_sample else ("temperature", "top_p", "top_k"):
            if getattr(self, name) is not None:
                raise InvalidArgumentsError(f"{path}.{name}: has no effect without do_sample", path=f"{path}.{name}")

    def options(self, prompt_tokens: int, context_length: int | None) -> dict[str, Any]:
        """Return the settings in transformers' words, for a prompt of so many tokens.

        Raises:
            TransformersContextExceededError: The prompt leaves no room for a text.
        """
        room = self.max_new_tokens or self.max_length - prompt_tokens
        limit = self.max_length
        if context_length is not None and context_length - prompt_tokens < room:
            room, limit = context_length - prompt_tokens, context_length
        if room < 1:
            cause = "the model looks at" if limit == context_length else "max_length allows"
            raise TransformersContextExceededError(
                f"the prompt has {prompt_tokens} tokens and {cause} {limit}, so there is no room for a text",
                tokens=prompt_tokens,
                limit=limit,
            )
        chosen = {"temperature": self.temperature, "top_p": self.top_p, "top_k": self.top_k}
        given = {name: value for name, value in chosen.items() if value is not None}
        return {"max_new_tokens": room, "do_sample": self.do_sample, **given}
