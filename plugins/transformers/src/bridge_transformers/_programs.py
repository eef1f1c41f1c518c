"""Programs: a prompt with blanks, a model and settings, kept under an id; execution fills the blanks in."""

from __future__ import annotations

import string
from collections.abc import Generator, Iterator, Mapping
from contextlib import suppress
from typing import Annotated, Any, TypeAlias

import msgspec
from msgspec import Meta

from bridge_core import CallContext
from bridge_core.errors import InvalidArgumentsError, ProgramNotFoundError, RefNotFoundError

from ._generation import Generation
from ._models import ModelId, find_model
from ._settings import Settings

__all__ = [
    "Program",
    "call_program",
    "create_program",
    "delete_program",
    "execute_program",
    "get_program",
    "inputs_of",
    "list_programs",
]

_KIND = "transformers.program"
_OUTPUT = "text"

ProgramId: TypeAlias = Annotated[str, Meta(min_length=1, description="the id given to, or made by, create_program")]
_DEFAULTS = Settings()


class Program(msgspec.Struct, kw_only=True, frozen=True):
    """How to make a prompt of inputs, and a text of the prompt."""

    model_id: str
    template: str
    settings: Settings
    inputs: tuple[str, ...]

    def prompt(self, inputs: Mapping[str, str | int | float]) -> str:
        """Fill the template in.

        Raises:
            InvalidArgumentsError: An input is missing or unknown; `details.path` says which.
        """
        for name in [*inputs, *self.inputs]:
            if name not in self.inputs:
                raise _bad_argument(f"$.inputs.{name}", f"unknown; the program's inputs are: {', '.join(self.inputs)}")
            if name not in inputs:
                raise _bad_argument(f"$.inputs.{name}", "required, but missing")
        return "".join(text + (str(inputs[name]) if name else "") for text, name in _parts(self.template))

    def describe(self) -> dict[str, Any]:
        """Return what it was made of."""
        made_of = {"model_id": self.model_id, "template": self.template, "settings": msgspec.to_builtins(self.settings)}
        return {**made_of, "inputs": list(self.inputs), "outputs": [_OUTPUT]}


def create_program(
    ctx: CallContext,
    *,
    model_id: ModelId,
    template: Annotated[str, Meta(min_length=1, max_length=100_000, description="a prompt with {blanks}")],
    settings: Settings = _DEFAULTS,
    id: Annotated[str, Meta(min_length=1, description="chosen by you, or made here")] | None = None,
) -> dict[str, Any]:
    """Make a program from a model and a prompt such as `Q: {question} A:` and keep it in the session."""
    settings.check("$.settings")
    find_model(ctx, model_id, task="generation")
    program = Program(model_id=model_id, template=template, settings=settings, inputs=inputs_of(template))
    program_id = ctx.session.objects.put(program, kind=_KIND, id=id)
    return {"program_id": program_id, "status": "created", **program.describe()}


def execute_program(
    ctx: CallContext, *, program_id: ProgramId, inputs: dict[str, str | int | float]
) -> dict[str, Any] | Generator[dict[str, str], None, dict[str, Any]]:
    """Run a program on one set of inputs; streamed, its text arrives in pieces first."""
    program = _program(ctx, program_id)
    generation = _generation(ctx, program, inputs)
    if ctx.streaming:
        return _streamed(program_id, program, generation)
    generation.run()
    return _result(program_id, program, generation)


def call_program(ctx: CallContext, program: Program, /, **inputs: str | int | float) -> dict[str, Any]:
    """Run a program that a dynamic call names: `stored.<id>`, with the inputs as keywords."""
    generation = _generation(ctx, program, inputs)
    generation.run()
    return generation.answer()


def list_programs(ctx: CallContext) -> dict[str, Any]:
    """List the session's programs."""
    programs = []
    for program_id in ctx.session.objects.ids(kind=_KIND):
        with suppress(ProgramNotFoundError):  # it has expired since
            programs.append({"program_id": program_id, **_program(ctx, program_id).describe()})
    return {"programs": programs, "count": len(programs)}


def get_program(ctx: CallContext, *, program_id: ProgramId) -> dict[str, Any]:
    """Describe one program: its model, template, settings and inputs."""
    return {"program_id": program_id, **_program(ctx, program_id).describe()}


def delete_program(ctx: CallContext, *, program_id: ProgramId) -> dict[str, Any]:
    """Forget a program."""
    try:
        ctx.session.objects.delete(program_id, kind=_KIND)
    except RefNotFoundError:
        raise _not_found(program_id) from None
    return {"program_id": program_id, "status": "deleted"}


def inputs_of(template: str) -> tuple[str, ...]:
    """Return the names of a template's blanks, each once.

    Raises:
        InvalidArgumentsError: A blank is more than a name.
    """
    return tuple(dict.fromkeys(name for _, name in _parts(template) if name))


def _generation(ctx: CallContext, program: Program, inputs: Mapping[str, str | int | float]) -> Generation:
    prompt = program.prompt(inputs)
    model = find_model(ctx, program.model_id, task="generation")
    return Generation(ctx, model, prompt, program.settings, path="$.inputs")


def _streamed(
    program_id: str, program: Program, generation: Generation
) -> Generator[dict[str, str], None, dict[str, Any]]:
    for piece in generation.pieces():
        yield {"field": _OUTPUT, "text": piece}
    return _result(program_id, program, generation)


def _result(program_id: str, program: Program, generation: Generation) -> dict[str, Any]:
    answer = generation.answer()
    outputs, usage = {_OUTPUT: answer["text"]}, {program.model_id: answer["usage"]}
    return {"program_id": program_id, "outputs": outputs, "finish_reason": answer["finish_reason"], "usage": usage}


def _parts(template: str) -> Iterator[tuple[str, str]]:
    """Yield the texts of a template, each with the name of the blank behind it, "" for none."""
    try:
        for text, name, spec, conversion in string.Formatter().parse(template):
            if name is not None and (spec or conversion or not name.isidentifier()):
                raise _bad_argument("$.template", f"a blank is a name in braces, such as {{question}}, not {{{name}}}")
            yield text, name or ""
    except ValueError as exc:
        raise _bad_argument("$.template", f"{exc}; write {{{{ and }}}} for braces") from None


def _program(ctx: CallContext, program_id: str) -> Program:
    try:
        program: Program = ctx.session.objects.get(program_id, kind=_KIND)
    except RefNotFoundError:
        raise _not_found(program_id) from None
    return program


def _not_found(program_id: str) -> ProgramNotFoundError:
    return ProgramNotFoundError(
        f"the session has no program {program_id!r}; list_programs has those it has", program_id=program_id
    )


def _bad_argument(path: str, problem: str) -> InvalidArgumentsError:
    return InvalidArgumentsError(f"{path}: {problem}", path=path)
