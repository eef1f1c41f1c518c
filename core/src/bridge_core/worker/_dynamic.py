"""The worker's operations on any library: calls, live objects, pipelines, inspection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from msgspec import Meta, Struct

from bridge_core._context import CallContext
from bridge_core._handlers import Operation
from bridge_core.calls import DynamicCalls, Outcome, Pipeline, PipelineStep, Step, described
from bridge_core.errors import BadTargetError
from bridge_core.hookspecs import Handler
from bridge_core.serialize import Live

if TYPE_CHECKING:
    from ._dispatcher import Dispatcher

__all__ = ["DynamicOperations"]

_Target = Annotated[str, Meta(description="a dotted name, or `stored.<id>` and perhaps names behind it")]
_Id = Annotated[str, Meta(min_length=1, description="of an object of this session")]
_Name = Annotated[str, Meta(min_length=1, description="the id under which the result is stored")]


class DynamicOperations(Struct, eq=False):
    """What peers may do with any library, as far as the policy allows."""

    dispatcher: Dispatcher
    calls: DynamicCalls

    def operations(self) -> list[Operation]:
        """Compile them; all run where plugin code does."""
        changing: list[Handler] = [self.call, self.store, self.set_attribute, self.pipeline]
        reading: list[Handler] = [self.retrieve, self.inspect]
        return [
            Operation.of(None, one.__name__, one, runs="main", refers=True, idempotent=one in reading)
            for one in (*changing, *reading)
        ]

    def call(
        self,
        ctx: CallContext,
        *,
        target: _Target,
        args: list[Any] | None = None,
        kwargs: dict[str, Any] | None = None,
        store_as: _Name | None = None,
        by_value: bool = False,
        attribute: bool = False,
    ) -> dict[str, Any]:
        """Call what a target means, or read it if it cannot be called or `attribute` is true."""
        step = Step(
            target=target,
            args=args or [],
            kwargs=kwargs or {},
            store_as=store_as,
            by_value=by_value,
            attribute=attribute,
        )
        return {**_answer(step, self.calls.perform(ctx, step)), "timestamp": self.dispatcher.clock()}

    def store(self, ctx: CallContext, *, id: _Id, value: Any) -> dict[str, Any]:
        """Keep a value in the session under an id."""
        resolved = self.calls.references(ctx, use="keep").resolve(value, "$.value")
        objects = ctx.session.objects
        objects.put(resolved, kind="python.object", id=id)
        return {"status": "ok", "message": f"stored {id!r}", "stored_objects": len(objects)}

    def retrieve(self, ctx: CallContext, *, id: _Id, path: list[int | str] | None = None) -> dict[str, Any]:
        """Return an object of the session, or a part of it, by value, or a reference to it if it has no form."""
        if path:
            return {"status": "ok", "object": self.calls.references(ctx).resolve({"$ref": id, "path": path}, "$")}
        return {"status": "ok", "object": Live(ctx.session.objects.get(id), id, by_value=True)}

    def set_attribute(self, ctx: CallContext, *, target: _Target, value: Any) -> dict[str, Any]:
        """Set an attribute of a stored object."""
        above, dot, name = target.rpartition(".")
        if not dot or not above.startswith("stored."):
            raise BadTargetError("$.target: expected stored.<id> and a name behind it", path="$.target")
        found = self.calls.targets(ctx).find(above, ctx.session)
        self.calls.policy.check_change(target, found.value, name)
        resolved = self.calls.references(ctx).resolve(value, "$.value")
        with self.calls.inside(ctx, found, resolved):
            setattr(found.value, name, resolved)
        return {"status": "ok", "target": target}

    def pipeline(self, ctx: CallContext, *, steps: list[PipelineStep], rollback: bool = False) -> dict[str, Any]:
        """Make several calls, each with the results of those before it."""
        pipeline = Pipeline(self.calls, ctx, rollback=rollback)
        pipeline.run(steps)
        answers = [_answer(step, outcome) for step, outcome in zip(steps, pipeline.outcomes, strict=True)]
        return {"status": "ok", "pipeline_results": answers, "steps_completed": len(answers)}

    def inspect(self, ctx: CallContext, *, target: _Target) -> dict[str, Any]:
        """Describe what a target means: type, signature, documentation, names."""
        found = self.calls.targets(ctx).find(target, ctx.session, modules=True)
        redactor = self.dispatcher.redactor
        inspection = redactor.scrub(described(found.value, redact=redactor.redact))  # its signature may have defaults
        return {"status": "ok", "target": target, "inspection": inspection}


def _answer(step: Step, outcome: Outcome) -> dict[str, Any]:
    """Return what a peer is told of one call."""
    result = outcome.value
    if outcome.stored_as is not None:
        result = Live(result, outcome.stored_as, by_value=step.by_value)
    if isinstance(step, PipelineStep) and step.omit:
        result = None
    answer = {"status": "ok", "result": result, "stored_as": outcome.stored_as, "target": step.target}
    return answer if outcome.configured is None else {**answer, "configured": outcome.configured}
