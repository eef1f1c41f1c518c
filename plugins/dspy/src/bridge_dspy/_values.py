"""DSPy's values as JSON: named fields only, never what an object happens to have in its `__dict__`."""

from __future__ import annotations

import sys
from typing import Any

from bridge_core import Encode, JsonValue


def describe(value: object, encode: Encode) -> JsonValue:
    """Describe a prediction, example or history as a `model` tag; None for everything else."""
    dspy: Any = sys.modules.get("dspy")  # a value of DSPy's exists only where DSPy has been imported
    if dspy is None:
        return None
    if isinstance(value, dspy.Example):  # predictions are examples
        fields = dict(value.items())
    elif isinstance(value, dspy.History):
        fields = {"messages": value.messages}
    else:
        return None
    kind = type(value)
    public = getattr(dspy, kind.__name__, None) is kind
    name = f"dspy.{kind.__name__}" if public else f"{kind.__module__}.{kind.__qualname__}"
    return {"$type": "model", "class": name, "fields": encode({str(key): field for key, field in fields.items()})}
