"""What dynamic calls reach in place of DSPy's own callables, whose arguments can name modules to import.

`dspy.Predict("x: os.path -> y")` imports `os.path`, and so does a program that is given a `signature` when it runs.
"""

from __future__ import annotations

from typing import Any

import msgspec

from bridge_core import CallContext, parse_arguments
from bridge_core.errors import InvalidArgumentsError

from ._lm import configure_lm, make_model
from ._programs import ProgramType, make_program, run_program
from ._signatures import SignatureSpec

STAND_INS = {
    "dspy.LM": "bridge_dspy._dynamic:language_model",
    "dspy.Predict": "bridge_dspy._dynamic:predict",
    "dspy.Predict.__call__": "bridge_dspy._dynamic:run",
    "dspy.ChainOfThought": "bridge_dspy._dynamic:chain_of_thought",
    "dspy.ChainOfThought.__call__": "bridge_dspy._dynamic:run",
}


def language_model(ctx: CallContext, /, model: str, **settings: Any) -> Any:
    """Return a `dspy.LM`; the settings are those of `configure_lm`."""
    return make_model(**parse_arguments(configure_lm, {"model": model, **settings})).lm


def predict(ctx: CallContext, /, signature: Any) -> Any:
    """Return a `dspy.Predict` for a signature that names no types but those on the list."""
    return _program(signature, "predict")


def chain_of_thought(ctx: CallContext, /, signature: Any) -> Any:
    """Return a `dspy.ChainOfThought` for such a signature."""
    return _program(signature, "chain_of_thought")


def run(ctx: CallContext, program: Any, /, **inputs: Any) -> Any:
    """Run a program on its inputs, and on nothing else that DSPy would take from keywords."""
    return run_program(program, inputs)


def _program(signature: Any, program_type: ProgramType) -> Any:
    try:
        spec: str | SignatureSpec = msgspec.convert(signature, str | SignatureSpec)
    except msgspec.ValidationError as exc:
        raise InvalidArgumentsError(f"$.args[0]: {exc}", path="$.args[0]") from None
    return make_program(spec, program_type)
