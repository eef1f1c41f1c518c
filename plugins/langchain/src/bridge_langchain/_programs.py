"""Chains as programs: the verbs that every framework has, for peers that need not know which one they drive."""

from __future__ import annotations

from collections.abc import Generator
from typing import Annotated, Any

from msgspec import Meta

from bridge_core import CallContext
from bridge_core.errors import InvalidArgumentsError

from ._chains import OUTPUT, Chain, Id, Inputs, keep, performed
from ._objects import find, forget, listed
from ._templates import Prompt, Template, template_of

ProgramId = Annotated[str, Meta(min_length=1, description="the id given to, or made by, create_program")]
Signature = Annotated[str, Meta(max_length=20_000, description="such as `context, question -> answer`")]


def create_program(
    ctx: CallContext, *, signature: Signature | None = None, template: Template | None = None, id: Id | None = None
) -> dict[str, Any]:
    """Make a chain from a signature such as `question -> answer`, or from a template, and keep it in the session."""
    output = OUTPUT
    if signature is not None and template is None:
        template, output = template_of(signature)
    elif template is None or signature is not None:
        raise InvalidArgumentsError("$: expected either a signature or a template", path="$")
    chain = Chain(Prompt(template), output)
    return {"program_id": keep(ctx, chain, id), "status": "created", **_describe(chain)}


def execute_program(
    ctx: CallContext, *, program_id: ProgramId, inputs: Inputs
) -> Generator[dict[str, str], None, dict[str, Any]]:
    """Run a program on one set of inputs; streamed, its answer arrives word by word first."""
    chain = find(ctx.session, "program", program_id)
    text, usage = yield from performed(ctx, chain, inputs)
    return {"program_id": program_id, "outputs": {chain.output: text}, **usage}


def list_programs(ctx: CallContext) -> dict[str, Any]:
    """List the session's programs, which are its chains."""
    return listed(ctx.session, "program", _describe)


def get_program(ctx: CallContext, *, program_id: ProgramId) -> dict[str, Any]:
    """Describe one program: its fields and template."""
    return {"program_id": program_id, **_describe(find(ctx.session, "program", program_id))}


def delete_program(ctx: CallContext, *, program_id: ProgramId) -> dict[str, Any]:
    """Forget a program."""
    return forget(ctx.session, "program", program_id)


def _describe(chain: Chain) -> dict[str, Any]:
    signature = {
        "instructions": chain.prompt.instructions,
        "inputs": [_field(name) for name in chain.prompt.variables],
        "outputs": [_field(chain.output)],
    }
    return {"program_type": "chain", "signature": signature, "template": chain.prompt.template}


def _field(name: str) -> dict[str, str]:
    return {"name": name, "type": "str", "description": ""}
