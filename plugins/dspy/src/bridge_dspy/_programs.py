"""Programs: DSPy modules in the session's object store, and the operations on them."""

from __future__ import annotations

import functools
from collections.abc import Generator
from typing import Annotated, Any, Literal

from msgspec import Meta

from bridge_core import CallContext
from bridge_core.errors import InvalidArgumentsError, NotConfiguredError, ProgramNotFoundError, RefNotFoundError

from ._signatures import SignatureSpec, describe_signature, make_signature

_KIND = "dspy.program"
_CLASSES = {"predict": "Predict", "chain_of_thought": "ChainOfThought"}

ProgramType = Literal["predict", "chain_of_thought"]
ProgramId = Annotated[str, Meta(min_length=1, description="the id given to, or made by, create_program")]


def create_program(
    ctx: CallContext,
    *,
    signature: Annotated[str, Meta(max_length=20_000)] | SignatureSpec,
    program_type: ProgramType = "predict",
    id: Annotated[str, Meta(min_length=1, description="chosen by you, or made here")] | None = None,
) -> dict[str, Any]:
    """Make a program from a signature such as `question -> answer` and keep it in the session."""
    module = make_program(signature, program_type)
    program_id = ctx.session.objects.put(module, kind=_KIND, id=id)
    return {"program_id": program_id, "status": "created", **_describe(module)}


def execute_program(
    ctx: CallContext, *, program_id: ProgramId, inputs: dict[str, Any]
) -> dict[str, Any] | Generator[dict[str, str], None, dict[str, Any]]:
    """Run a program on one set of inputs; streamed, its output fields arrive word by word first."""
    module = _program(ctx, program_id)
    values = _ready(module, inputs)
    if ctx.streaming:
        return _streamed(ctx, program_id, module, values)
    return _result(program_id, module(**values))


def list_programs(ctx: CallContext) -> dict[str, Any]:
    """List the session's programs."""
    programs = []
    for program_id in ctx.session.objects.ids():
        try:
            module = _program(ctx, program_id)
        except ProgramNotFoundError:
            continue  # no program, or deleted by another call since
        programs.append({"program_id": program_id, **_describe(module)})
    return {"programs": programs, "count": len(programs)}


def get_program(ctx: CallContext, *, program_id: ProgramId) -> dict[str, Any]:
    """Describe one program: its type, instructions and fields."""
    return {"program_id": program_id, **_describe(_program(ctx, program_id))}


def delete_program(ctx: CallContext, *, program_id: ProgramId) -> dict[str, Any]:
    """Forget a program."""
    _program(ctx, program_id)
    try:
        ctx.session.objects.delete(program_id)
    except RefNotFoundError:
        raise _not_found(program_id) from None
    return {"program_id": program_id, "status": "deleted"}


def make_program(signature: str | SignatureSpec, program_type: ProgramType) -> Any:
    """Make a DSPy module.

    Raises:
        InvalidArgumentsError: The signature is malformed; `details.path` says where.
    """
    import dspy

    made = make_signature(signature)
    if program_type == "chain_of_thought" and "reasoning" in made.input_fields:
        problem = "a chain_of_thought program writes `reasoning` itself, so it cannot be an input"
        raise InvalidArgumentsError(f"$.signature: {problem}", path="$.signature")
    return getattr(dspy, _CLASSES[program_type])(made)


def run_program(module: Any, inputs: dict[str, Any]) -> Any:
    """Run a DSPy module on checked inputs and return its prediction.

    Raises:
        InvalidArgumentsError: The inputs do not fit; `details.path` says which.
        NotConfiguredError: There is no language model.
    """
    return module(**_ready(module, inputs))


def _ready(module: Any, inputs: dict[str, Any]) -> dict[str, Any]:
    """Return inputs as the module's signature wants them, when there is a language model to ask."""
    import dspy

    values = _checked_inputs(_signature_of(module), inputs)
    if dspy.settings.lm is None and any(predictor.lm is None for predictor in module.predictors()):
        raise NotConfiguredError("the session has no language model; call dspy.configure_lm first")
    return values


def _streamed(
    ctx: CallContext, program_id: str, module: Any, values: dict[str, Any]
) -> Generator[dict[str, str], None, dict[str, Any]]:
    from ._streaming import stream_program  # brings asyncio: only callers who stream pay for it

    prediction = yield from stream_program(ctx, module, values)
    return _result(program_id, prediction)


def _result(program_id: str, prediction: Any) -> dict[str, Any]:
    result: dict[str, Any] = {"program_id": program_id, "outputs": dict(prediction.items())}
    usage = {
        model: {name: count for name, count in counts.items() if count is not None}
        for model, counts in (prediction.get_lm_usage() or {}).items()
    }
    return {**result, "usage": usage} if usage else result


def _program(ctx: CallContext, program_id: str) -> Any:
    """Return a program, whether create_program has made it or a dynamic call."""
    import dspy

    try:
        found = ctx.session.objects.get(program_id)
    except RefNotFoundError:
        raise _not_found(program_id) from None
    if type(found) not in (dspy.Predict, dspy.ChainOfThought):
        raise _not_found(program_id)
    return found


def _not_found(program_id: str) -> ProgramNotFoundError:
    return ProgramNotFoundError(
        f"the session has no program {program_id!r}; list_programs has those it has", program_id=program_id
    )


def _signature_of(module: Any) -> Any:
    return module.predictors()[0].signature


def _describe(module: Any) -> dict[str, Any]:
    kind = type(module).__name__
    program_type = next((name for name, class_name in _CLASSES.items() if class_name == kind), kind)
    return {"program_type": program_type, "signature": describe_signature(_signature_of(module))}


def _checked_inputs(signature: Any, inputs: dict[str, Any]) -> dict[str, Any]:
    """Return the inputs in the types of the signature: DSPy itself only logs a warning and calls the model.

    Raises:
        InvalidArgumentsError: One is missing, unknown or of a wrong type; `details.path` says which.
    """
    import pydantic

    fields = signature.input_fields
    for name in inputs.keys() - fields.keys():
        raise _bad_input(name, f"unknown; the program's inputs are: {', '.join(fields)}")
    values = {}
    for name, info in fields.items():
        converter = _converter(info.annotation)
        try:
            if name not in inputs:
                values[name] = converter.validate_python(None)  # an optional one may be left out
            elif info.json_schema_extra.get("IS_TYPE_UNDEFINED"):
                values[name] = inputs[name]  # no type was declared, and DSPy makes text of anything
            else:
                values[name] = converter.validate_python(inputs[name])
        except pydantic.ValidationError as exc:
            problem = "required, but missing" if name not in inputs else _problem(exc)
            raise _bad_input(name, problem) from None
    return values


@functools.lru_cache(maxsize=256)
def _converter(annotation: Any) -> Any:
    import pydantic

    return pydantic.TypeAdapter(annotation)


def _problem(exc: Any) -> str:
    """Say what pydantic found first, without the value: it may be long or secret."""
    first = exc.errors(include_url=False, include_input=False, include_context=False)[0]
    where = "".join(f"[{part!r}]" for part in first["loc"])
    return f"{first['msg'][0].lower()}{first['msg'][1:]}{f' at {where}' if where else ''}"


def _bad_input(name: str, problem: str) -> InvalidArgumentsError:
    path = f"$.inputs.{name}"
    return InvalidArgumentsError(f"{path}: {problem}", path=path)
