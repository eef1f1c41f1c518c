"""Putting a worker together and taking it through its life."""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Sequence

from bridge_core import __version__
from bridge_core._models import HostInfo
from bridge_core._plugins import PluginHost
from bridge_core.errors import BridgeError
from bridge_core.protocol import Connection, Limits
from bridge_core.transports import DescriptorTransport

from ._builtins import Builtins
from ._catalogue import Catalogue
from ._dispatcher import Dispatcher
from ._ending import Ending
from ._log import configure_log
from ._options import Options, UsageError
from ._places import LoopPlace, MainPlace, ThreadPlace
from ._reader import Reader

__all__ = ["serve"]

_log = logging.getLogger(__name__)


def serve(arguments: Sequence[str], wire_in: int, wire_out: int) -> int:
    """Serve the peer at the other end of two descriptors and return the exit code."""
    try:
        options = Options.parse(arguments, os.environ)
        configure_log(options.worker_id, debug=options.debug)
        if options.ignored:
            _log.warning("ignored, because unknown to this version: %s", " ".join(options.ignored))
        plugins = _load(options)
    except UsageError as exc:
        sys.stderr.write(f"pybridge worker: {exc}\n")
        return 2
    except BridgeError as exc:
        sys.stderr.write(f"pybridge worker: {exc}\n")
        return 1
    return _run(options, plugins, DescriptorTransport(wire_in, wire_out))


def _load(options: Options) -> PluginHost:
    """Load the plugins asked for; what was not asked for cannot fail.

    Raises:
        BridgeError: A framework asked for by name cannot be served; with --strict, any failure.
    """
    wanted = frozenset(options.frameworks) or None
    allow = wanted if options.allow is None else options.allow if wanted is None else options.allow & wanted
    plugins = PluginHost(allow=allow, block=options.block, strict=options.strict)
    plugins.discover()
    plugins.set_environment(os.environ)
    plugins.startup(
        HostInfo(
            worker_id=options.worker_id,
            mode=options.mode,
            core_version=__version__,
            frameworks=tuple(sorted(plugins.plugins)),
        )
    )
    for failure in plugins.failures:
        _log.warning("%s", failure.sentence())
    for name in options.frameworks:
        plugins.get(name)
    return plugins


def _run(options: Options, plugins: PluginHost, transport: DescriptorTransport) -> int:
    limits = Limits()
    connection = Connection("worker", limits=limits, codec=options.codec)
    dispatcher = Dispatcher(
        connection=connection, transport=transport, plugins=plugins, limits=limits, debug=options.debug
    )
    main, threads, loop = MainPlace(dispatcher), ThreadPlace(dispatcher), LoopPlace(dispatcher)
    ending = Ending(dispatcher=dispatcher, main=main, threads=threads, loop=loop)
    builtins = Builtins(dispatcher=dispatcher, ending=ending, mode=options.mode, worker_id=options.worker_id)
    dispatcher.catalogue = Catalogue(builtins.operations(), plugins, _default(options, plugins))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, frame: ending.begin(signal.Signals(number).name))
    ending.watch()
    places = {"main": main.submit, "thread": threads.submit, "async": loop.submit}
    Reader(dispatcher, places, ending.begin).start()
    main.run()
    return ending.finish(plugins.shutdown)


def _default(options: Options, plugins: PluginHost) -> str | None:
    """Return the framework meant when none is named: the first asked for, or the only one there is."""
    if options.frameworks:
        return options.frameworks[0]
    return next(iter(plugins.plugins)) if len(plugins.plugins) == 1 else None
