"""One dynamic call: what a peer asks for, and what comes of it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Any, Literal, cast

from msgspec import Struct, field

from bridge_core._context import CallContext, Session
from bridge_core._plugins import LoadedPlugin, PluginHost
from bridge_core.errors import InvalidArgumentsError

from ._located import Located, underlying
from ._names import refusal
from ._policy import Policy
from ._references import References
from ._targets import Found, Targets

if TYPE_CHECKING:
    from bridge_core.sessions import MemoryObjectStore

__all__ = ["DynamicCalls", "Outcome", "Step"]

_KIND = "python.object"
_UNSET: Any = object()


class Step(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """One call, alone or in a pipeline."""

    target: str
    args: list[Any] = field(default_factory=list)
    kwargs: dict[str, Any] = field(default_factory=dict)
    store_as: str | None = None
    by_value: bool = False
    attribute: bool = False
    """Whether the target is read, also if it can be called."""


class Outcome(Struct, frozen=True, eq=False):
    """What a call gave."""

    value: Any
    stored_as: str | None = None
    configured: str | None = None
    """The framework that it has configured for the session, if its target was there for that."""


class DynamicCalls:
    """Makes dynamic calls, inside the call contexts of the frameworks that they concern.

    Args:
        policy: What they may reach.
        plugins: The frameworks.
        ensure: Imports a framework and configures the session of a request for it, as far as that is not done.
        configure: Configures a framework for the session of a request and returns the effective settings.
        reveal: Returns the value of a reference to a secret, for `configure`.
        strings: Whether the text `stored.<id>` in arguments means the object.
    """

    def __init__(
        self,
        policy: Policy,
        plugins: PluginHost,
        ensure: Callable[[LoadedPlugin, CallContext], None],
        configure: Callable[[str, Mapping[str, Any], CallContext], dict[str, Any]],
        reveal: Callable[[Any, CallContext], Any],
        strings: Callable[[], bool],
    ) -> None:
        self.policy = policy
        self._plugins = plugins
        self._ensure = ensure
        self._configured = configure
        self._reveal = reveal
        self._strings = strings
        self._frameworks = {root: plugin for plugin in plugins.plugins.values() for root in _roots(plugin)}
        self._configuring = {
            target: plugin for plugin in plugins.plugins.values() for target in plugin.info.configuration_targets
        }
        self._configuring_objects = Located(self._configuring)

    def targets(self, ctx: CallContext) -> Targets:
        """Return what finds targets for one request, whose peer is told of imports."""

        def importing(module: str) -> None:
            plugin = self._frameworks.get(module.partition(".")[0])
            if plugin is not None:
                self._ensure(plugin, ctx)

        return Targets(self.policy, importing)

    def references(
        self,
        ctx: CallContext,
        earlier: list[Any] | None = None,
        *,
        use: Literal["call", "keep", "configure"] = "call",
    ) -> References:
        """Return what resolves the references in arguments, to results of earlier steps too.

        Args:
            ctx: The request.
            earlier: Those results.
            use: What the arguments are for: callables are handed on, kept values are not, a plugin that is configured
                judges objects itself and may be given secrets.
        """
        judges = {"call": self.policy.check_argument, "keep": self.policy.check_object}
        reveal = (lambda value: self._reveal(value, ctx)) if use == "configure" else None
        return References(
            self.targets(ctx),
            ctx.session,
            strings=self._strings(),
            steps=earlier or [],
            judge=judges.get(use),
            reveal=reveal,
        )

    def perform(self, ctx: CallContext, step: Step, earlier: list[Any] | None = None) -> Outcome:
        """Make one call and store what it gives, if that is asked for.

        Args:
            ctx: The request.
            step: The call.
            earlier: The results of a pipeline's earlier steps.

        Raises:
            BridgeError: It was not made; the class says why.
            BaseException: What the target raised.
        """
        _check_free(ctx.session, step.store_as)
        if step.target in self._configuring:
            return self._configure(ctx, step.target, step, earlier)
        found = self.targets(ctx).find(step.target, ctx.session)
        if (by_object := self._configuring_objects.listed(underlying(found.value))) is not None:
            return self._configure(ctx, by_object, step, earlier)
        # A stand-in knows what it is given.
        references = self.references(ctx, earlier, use="call" if found.stand_in is None else "keep")
        args = [references.resolve(value, f"$.args[{index}]") for index, value in enumerate(step.args)]
        kwargs = {name: references.resolve(value, f"$.kwargs.{name}") for name, value in step.kwargs.items()}
        reads = step.attribute or not (found.stand_in or callable(found.value))
        if reads and (args or kwargs):
            raise InvalidArgumentsError("$.args: the target is read, not called, and takes none", path="$.args")
        value = found.value
        if not reads:
            with self.inside(ctx, found, *references.objects):
                value = _called(ctx, found, args, kwargs)
        stored_as = None
        if step.store_as is not None:
            stored_as = ctx.session.objects.put(value, kind=_KIND, id=step.store_as)
        return Outcome(value, stored_as)

    def inside(self, ctx: CallContext, found: Found, *others: object) -> ExitStack:
        """Return what a call runs in: the call contexts of the frameworks whose objects it has to do with."""
        with ExitStack() as stack:
            for plugin in {one.name: one for one in self._concerned(found, others)}.values():
                self._ensure(plugin, ctx)
                stack.enter_context(self._plugins.call_context(plugin.name, ctx.session))
            return stack.pop_all()

    def _configure(self, ctx: CallContext, name: str, step: Step, earlier: list[Any] | None) -> Outcome:
        """Configure the session, and nothing else, by a target that would configure the whole process."""
        plugin = self._configuring[name]
        if self.policy.denies(name):
            raise refusal(step.target, "it is denied by the operator")
        if step.args or step.attribute:
            raise InvalidArgumentsError(f"$.args: {step.target} takes keywords only", path="$.args")
        if step.store_as is not None:
            raise InvalidArgumentsError("$.store_as: what configures a session gives no object", path="$.store_as")
        references = self.references(ctx, earlier, use="configure")
        config = {key: references.resolve(value, f"$.kwargs.{key}") for key, value in step.kwargs.items()}
        return Outcome(self._configured(plugin.name, config, ctx), configured=plugin.name)

    def _concerned(self, found: Found, others: tuple[object, ...]) -> Iterator[LoadedPlugin]:
        for value in (found.value, found.owner, *others):
            kind = value if callable(value) and hasattr(value, "__module__") else type(value)
            plugin = self._frameworks.get(str(getattr(kind, "__module__", "")).partition(".")[0])
            if plugin is not None:
                yield plugin


def _roots(plugin: LoadedPlugin) -> set[str]:
    """Return the packages whose objects are a plugin's affair: its own, and those that it names."""
    info = plugin.info
    names = [plugin.metadata.target, *info.imports, *info.callables, *info.stand_ins, *info.configuration_targets]
    return {name.partition(":")[0].partition(".")[0] for name in names}


def _check_free(session: Session, id: str | None) -> None:
    """Refuse an id, or another object, before the call is made whose result could not be stored."""
    if id == "":
        raise InvalidArgumentsError("$.store_as: must not be empty", path="$.store_as")
    if id is not None:
        cast("MemoryObjectStore", session.objects).check_room(id)


def _called(ctx: CallContext, found: Found, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """Call what a target means, or what a plugin has in its place; return what it comes to."""
    if found.stand_in is None:
        value = found.value(*args, **kwargs)
        if not inspect.iscoroutine(value):
            return value
        import asyncio  # for who calls such functions

        return asyncio.run(value)
    value = found.stand_in(ctx, *args, **kwargs)
    if not isinstance(value, Generator):
        return value
    with closing(value):  # like a handler whose peer wants no chunks
        while True:
            try:
                next(value)
            except StopIteration as stop:
                return stop.value
            ctx.check()
