"""Dynamic calls in this process: the real operations and the real policy, each request in the calling thread."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

from bridge_core import CallContext, FrameworkInfo, PluginHost, PluginMetadata, Register, hookimpl
from bridge_core.calls import DynamicCalls, Policy
from bridge_core.errors import BridgeError
from bridge_core.secrets._redactor import Redactor
from bridge_core.sessions import SessionStore
from bridge_core.worker._dynamic import DynamicOperations
from bridge_core.worker._imports import FrameworkImporter

__all__ = ["VERBS", "Desk", "plugin"]

VERBS = ("call", "attribute", "inspect", "pipeline", "reference")


class Desk:
    """One peer of a worker under a policy.

    Args:
        policy: As in `[policy]`.
        plugins: The plugins of the worker.
    """

    def __init__(self, *plugins: Any, **policy: Any) -> None:
        self.host = PluginHost(strict=True)
        for one in plugins:
            name = one.bridge_framework_info().name
            self.host.load(PluginMetadata(name=name, distribution=name, version="0", target=name), lambda one=one: one)
        infos = {name: loaded.info for name, loaded in self.host.plugins.items()}
        self.policy = Policy(plugins=infos, **policy)
        self.sessions = SessionStore()
        importer = FrameworkImporter()
        calls = DynamicCalls(
            self.policy,
            self.host,
            ensure=lambda plugin, ctx: importer.ensure(plugin, ctx.progress),
            configure=lambda framework, config, ctx: dict(self.host.configure(framework, config, ctx.session)),
            reveal=lambda value, ctx: value,
            strings=lambda: True,
        )
        dispatcher: Any = SimpleNamespace(clock=time.time, redactor=Redactor())
        operations = DynamicOperations(dispatcher, calls).operations()
        self._operations = {one.name: one for one in operations}

    def ask(self, operation: str, *, session: str = "a", **arguments: Any) -> Any:
        """Make a request and return its result, before it is encoded."""
        ctx = CallContext(session=self.sessions.get(session), operation=operation, request_id=1)
        asked = self._operations[operation]
        return asked.call(ctx, asked.signature.parse(arguments))

    def call(self, target: str, *args: Any, **kwargs: Any) -> Any:
        """Call a target and return what it gives."""
        return self.ask("call", target=target, args=list(args), kwargs=kwargs)["result"]

    def keep(self, id: str, value: object, *, session: str = "a") -> None:
        """Have an object in a session, however it came there."""
        self.sessions.get(session).objects.put(value, kind="python.object", id=id)

    def tried(self, verb: str, target: str, *args: Any) -> str:
        """Try a target by one of the verbs and return the reason why it is refused, or "OK"."""
        try:
            self._try(verb, target, list(args))
        except BridgeError as exc:
            fine = exc.message.isascii() and exc.message.isprintable() and len(exc.message) < 5000
            return exc.reason if fine else f"{exc.reason}, with a message that may harm: {exc.message!a}"
        except Exception as exc:
            return f"{type(exc).__name__}: {exc}"
        return "OK"

    def _try(self, verb: str, target: str, args: list[Any]) -> None:
        if verb == "call":
            self.ask("call", target=target, args=args)
        elif verb == "attribute":
            self.ask("call", target=target, attribute=True)
        elif verb == "inspect":
            self.ask("inspect", target=target)
        elif verb == "pipeline":
            self.ask("pipeline", steps=[{"target": target, "args": args}])
        else:
            first, *path = target.removeprefix("stored.").split(".")
            self.ask("store", id="stolen", value={"$ref": first, "path": path})


def plugin(name: str = "attacked", **info: Any) -> Any:
    """Return a plugin that vouches for something."""

    @hookimpl
    def bridge_framework_info() -> FrameworkInfo:
        return FrameworkInfo(name=name, distribution=name, version="0", **info)

    @hookimpl
    def bridge_register_handlers(register: Register) -> None:
        """Have no operation."""

    return SimpleNamespace(
        BRIDGE_HOOK_API=1,
        bridge_framework_info=bridge_framework_info,
        bridge_register_handlers=bridge_register_handlers,
    )
