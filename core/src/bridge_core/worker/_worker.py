"""A worker put together: plugins, protocol, places and ending around one transport."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from queue import SimpleQueue
from typing import TYPE_CHECKING, cast

from bridge_core.calls import DynamicCalls, Policy
from bridge_core.config import Configuration, PolicySettings
from bridge_core.protocol import Connection, Limits
from bridge_core.secrets._redactor import Redactor

from ._builtins import Builtins
from ._catalogue import Catalogue
from ._dispatcher import Dispatcher
from ._dynamic import DynamicOperations
from ._ending import Ending
from ._places import LoopPlace, MainPlace, ThreadPlace
from ._reader import Reader
from ._sweeper import Sweeper

if TYPE_CHECKING:
    from bridge_core._context import CallContext
    from bridge_core._plugins import LoadedPlugin, PluginHost
    from bridge_core.sessions import PeerSession
    from bridge_core.transports import DescriptorTransport

    from ._options import Options

__all__ = ["Worker"]

_log = logging.getLogger(__name__)
_DEFAULTS = Configuration()
_NONE: Mapping[str, str] = {}


class Worker:
    """Serves one peer.

    Args:
        options: How it was asked to serve.
        plugins: The frameworks, loaded.
        transport: The wire.
        configuration: What the operator has decided.
        redactor: What must not be said.
        wire_names: The full names of operations by others that older peers use for them.
        orders: Where others order the ending, with the reason.
        owns_process: Whether the process is the worker's own: then an ending that is late ends the process.
    """

    def __init__(
        self,
        options: Options,
        plugins: PluginHost,
        transport: DescriptorTransport,
        *,
        configuration: Configuration = _DEFAULTS,
        redactor: Redactor | None = None,
        wire_names: Mapping[str, str] = _NONE,
        orders: SimpleQueue[str] | None = None,
        owns_process: bool = True,
    ) -> None:
        limits = Limits(max_frame_bytes=configuration.limits.max_frame_bytes)
        connection = Connection("worker", limits=limits, codec=options.codec)
        dispatcher = Dispatcher(
            connection=connection,
            transport=transport,
            plugins=plugins,
            limits=limits,
            debug=options.debug,
            configuration=configuration,
            redactor=redactor,
        )
        self._sweeper = Sweeper(dispatcher.sessions)
        self._plugins = plugins
        self._owns_process = owns_process
        threads, loop = ThreadPlace(dispatcher), LoopPlace(dispatcher)
        places = {"thread": threads.submit, "async": loop.submit}
        self._main = MainPlace(dispatcher, places)
        self._ending = Ending(
            dispatcher=dispatcher,
            main=self._main,
            threads=threads,
            loop=loop,
            orders=orders or SimpleQueue(),
            owns_process=owns_process,
        )
        builtins = Builtins(
            dispatcher=dispatcher,
            dynamic=_dynamic(dispatcher, configuration.policy),
            ending=self._ending,
            mode=options.mode,
            worker_id=options.worker_id,
        )
        default = _default(options, configuration, plugins)
        dispatcher.catalogue = Catalogue(builtins.operations(), plugins, default, wire_names)
        if hidden := dispatcher.catalogue.hidden() if options.bridge is not None else []:
            _log.warning("answered by the worker itself unless asked for by these names: %s", ", ".join(hidden))
        self._places = (threads, loop)
        self._reader = Reader(dispatcher, self._main, places, self._ending.begin)

    def run(self) -> int:
        """Serve until the ending is complete and return the exit code; `main` operations run in this thread."""
        self._ending.watch()
        for place in self._places:
            place.prepare()
        self._sweeper.begin()
        self._reader.start()
        self._main.run(self._reader.read)
        self._reader.leave()
        code = self._ending.finish(self._plugins.shutdown)
        if not self._owns_process:  # which would end with the process, and need not be waited for
            self._reader.stop()
            self._sweeper.stop()
        return code


def _dynamic(dispatcher: Dispatcher, settings: PolicySettings) -> DynamicOperations:
    """Return the dynamic calls that the operator and the plugins allow."""
    if settings.allow_any:
        _log.warning("the policy has allow_any: whoever may call this worker may do whatever its user may")
    plugins = dispatcher.plugins
    policy = Policy(
        allow=settings.allow,
        deny=settings.deny,
        allow_any=settings.allow_any,
        plugins={name: plugin.info for name, plugin in plugins.plugins.items()},
    )

    def strings() -> bool:
        return settings.resolve_strings or dispatcher.connection.resolve_strings

    def ensure(plugin: LoadedPlugin, ctx: CallContext) -> None:
        dispatcher.make_ready(plugin.name, cast("PeerSession", ctx.session), ctx.progress)

    return DynamicOperations(
        dispatcher, DynamicCalls(policy, plugins, ensure, dispatcher.configure, dispatcher.revealed, strings)
    )


def _default(options: Options, configuration: Configuration, plugins: PluginHost) -> str | None:
    """Return the framework meant when none is named: the first asked for, the configured, or the only one there is."""
    if options.frameworks or configuration.default:
        return options.frameworks[0] if options.frameworks else configuration.default
    return next(iter(plugins.plugins)) if len(plugins.plugins) == 1 else None
