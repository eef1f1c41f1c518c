"""Several dynamic calls in one request, the later ones with results of the earlier ones."""

from __future__ import annotations

import time
from typing import Annotated, Any

from msgspec import Meta

from bridge_core._context import CallContext
from bridge_core.errors import BridgeError, CallTimeoutError, HandlerRaisedError, RefNotFoundError

from ._names import LONGEST
from ._steps import DynamicCalls, Outcome, Step

__all__ = ["Pipeline", "PipelineStep"]


class PipelineStep(Step, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """One call of a pipeline."""

    timeout_ms: Annotated[float, Meta(ge=0)] | None = None
    omit: bool = False
    """Whether its result is left out of the answer: for what only later steps use."""


class Pipeline:
    """Runs the steps of one request, one after the other.

    Args:
        calls: What makes each call.
        ctx: The request.
        rollback: Whether what was stored is deleted again when a step fails.
    """

    def __init__(self, calls: DynamicCalls, ctx: CallContext, *, rollback: bool) -> None:
        self._calls = calls
        self._ctx = ctx
        self._rollback = rollback
        self._completed: list[dict[str, Any]] = []
        self.outcomes: list[Outcome] = []
        """What the steps gave, in order."""

    def run(self, steps: list[PipelineStep]) -> None:
        """Run the steps.

        Raises:
            BridgeError: A step failed; `details` name it, those that were completed and what was rolled back.
        """
        results: list[Any] = []
        for number, step in enumerate(steps):
            try:
                outcome = self._step(step, results)
            except BaseException as exc:  # boundary: handler call
                raise self._failure(number, step, exc) from exc
            results.append(outcome.value)
            self.outcomes.append(outcome)
            self._completed.append({"step": number, "target": step.target, "stored_as": outcome.stored_as})

    def _step(self, step: PipelineStep, results: list[Any]) -> Outcome:
        self._ctx.check()
        started = time.monotonic()
        outcome = self._calls.perform(self._ctx, step, results)
        if step.timeout_ms is not None and time.monotonic() - started > step.timeout_ms / 1000:
            self._delete([outcome.stored_as])
            raise CallTimeoutError(f"it took longer than {step.timeout_ms:g} ms")
        return outcome

    def _failure(self, number: int, step: PipelineStep, exc: BaseException) -> BridgeError:
        """Return the error of a step as that of the pipeline."""
        error = exc if isinstance(exc, BridgeError) else HandlerRaisedError.wrapping(exc)
        rolled_back = self._delete([one["stored_as"] for one in self._completed]) if self._rollback else []
        target = step.target[:LONGEST]
        error.message = f"step {number} ({ascii(target)[1:-1]}): {error.message}"
        completed: list[Any] = self._completed
        error.details.update(step=number, target=target, completed=completed, rolled_back=[*rolled_back])
        return error

    def _delete(self, ids: list[str | None]) -> list[str]:
        """Delete objects and return the ids of those that were there."""
        deleted = []
        for key in filter(None, ids):
            try:
                self._ctx.session.objects.delete(key)
            except RefNotFoundError:
                continue
            deleted.append(key)
        return deleted
