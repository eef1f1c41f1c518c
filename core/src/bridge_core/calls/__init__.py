"""Dynamic calls: what a policy allows of any library, found by dotted names and called with live objects."""

from ._inspection import described, shown, type_name
from ._keeper import Keeper
from ._pipeline import Pipeline, PipelineStep
from ._policy import Policy
from ._steps import DynamicCalls, Outcome, Step
from ._targets import Targets

__all__ = [
    "DynamicCalls", "Keeper", "Outcome", "Pipeline", "PipelineStep", "Policy", "Step", "Targets", "described", "shown",
    "type_name",
]  # fmt: skip
