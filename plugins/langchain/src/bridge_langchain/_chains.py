"""Chains: a prompt for the session's language model, whose answer is text."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from typing import Annotated, Any

from msgspec import Meta, Struct

from bridge_core import CallContext
from bridge_core.errors import InvalidArgumentsError

from ._llm import required_model
from ._messages import usage_of
from ._objects import CHAIN, find, forget, listed
from ._templates import Prompt, Template

OUTPUT = "output"

ChainId = Annotated[str, Meta(min_length=1, description="the id given to, or made by, create_chain")]
Id = Annotated[str, Meta(min_length=1, description="chosen by you, or made here")]
Inputs = Annotated[dict[str, Any], Meta(description="a value for each variable: text as it is, others as JSON")]
Variables = Annotated[list[str] | None, Meta(description="the template's, to have them compared; found there anyway")]


class Chain(Struct, frozen=True, eq=False):
    """A prompt, and the name by which programs return what the model answers."""

    prompt: Prompt
    output: str = OUTPUT

    def describe(self) -> dict[str, Any]:
        """Return what a peer is told about the chain."""
        return {"template": self.prompt.template, "input_variables": self.prompt.variables}


def create_chain(
    ctx: CallContext, *, template: Template, input_variables: Variables = None, id: Id | None = None
) -> dict[str, Any]:
    """Make a chain from a template such as `Translate to French: {text}` and keep it in the session."""
    chain = Chain(made(template, input_variables))
    return {"chain_id": keep(ctx, chain, id), "status": "created", **chain.describe()}


def run_chain(
    ctx: CallContext, *, chain_id: ChainId, inputs: Inputs
) -> Generator[dict[str, str], None, dict[str, Any]]:
    """Run a chain on one set of inputs; streamed, its answer arrives word by word first."""
    text, usage = yield from performed(ctx, find(ctx.session, "chain", chain_id), inputs)
    return {"chain_id": chain_id, OUTPUT: text, **usage}


def list_chains(ctx: CallContext) -> dict[str, Any]:
    """List the session's chains."""
    return listed(ctx.session, "chain", Chain.describe)


def get_chain(ctx: CallContext, *, chain_id: ChainId) -> dict[str, Any]:
    """Describe one chain: its template and variables."""
    return {"chain_id": chain_id, **find(ctx.session, "chain", chain_id).describe()}


def delete_chain(ctx: CallContext, *, chain_id: ChainId) -> dict[str, Any]:
    """Forget a chain."""
    return forget(ctx.session, "chain", chain_id)


def call_chain(ctx: CallContext, chain: Chain, /, **inputs: Any) -> Generator[dict[str, str], None, dict[str, Any]]:
    """Run a chain that a dynamic call names: `stored.<id>`, with the inputs as keywords."""
    text, usage = yield from performed(ctx, chain, inputs)
    return {chain.output: text, **usage}


def made(template: Template, variables: list[str] | None) -> Prompt:
    """Return the prompt for a template.

    Raises:
        InvalidArgumentsError: It is none, or has other variables.
    """
    prompt = Prompt(template)
    if variables is not None and sorted(variables) != sorted(prompt.variables):
        problem = f"the template's variables are: {', '.join(prompt.variables) or 'none'}"
        raise InvalidArgumentsError(f"$.input_variables: {problem}", path="$.input_variables")
    return prompt


def keep(ctx: CallContext, chain: Chain, id: str | None) -> str:
    """Put a chain into the session and return its id."""
    return ctx.session.objects.put(chain, kind=CHAIN, id=id)


def performed(
    ctx: CallContext, chain: Chain, inputs: dict[str, Any]
) -> Generator[dict[str, str], None, tuple[str, dict[str, Any]]]:
    """Yield `{"field", "text"}` pieces as the model writes them, if the peer wants them; return text and usage."""
    model = required_model(ctx.session)
    messages = chain.prompt.fill(inputs)
    if not ctx.streaming:
        answer = model.chat.invoke(messages)
    else:
        answer = None
        # Of the model itself: a chain of LangChain's that is closed early reads on until the model has ended.
        with closing(model.chat.stream(messages)) as pieces:
            for piece in pieces:
                answer = piece if answer is None else answer + piece
                if piece.text:
                    yield {"field": chain.output, "text": str(piece.text)}
    return str(answer.text), usage_of(model, [answer])
