"""From the command line to a worker that serves."""

from __future__ import annotations

import atexit
import logging
import os
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from queue import SimpleQueue
from typing import NoReturn

import msgspec

from bridge_core._plugins import PluginHost
from bridge_core.config import Configuration, read_configuration
from bridge_core.errors import BridgeError
from bridge_core.protocol import Connection, Failure
from bridge_core.secrets._redactor import LONGEST, Redactor
from bridge_core.transports import DescriptorTransport

from ._log import configure_log, one_line
from ._options import Options, UsageError
from ._signals import ignore_signals, watch_signals
from ._worker import Worker

__all__ = ["serve"]

_log = logging.getLogger(__name__)


def serve(arguments: Sequence[str], wire_in: int, wire_out: int, say_ready: int) -> int:
    """Serve the peer at the other end of two descriptors, tell the guardian so, and end the process.

    Returns:
        The exit code, if there was nothing to serve.
    """
    orders: SimpleQueue[str] = SimpleQueue()
    redactor = Redactor()
    watch_signals(orders.put)  # before plugins are loaded, which may take long
    try:
        options = Options.parse(arguments, os.environ)
        configure_log(options.worker_id, debug=options.debug, redactor=redactor)
        if options.ignored:
            _log.warning("ignored, because unknown to this version: %s", " ".join(options.ignored))
        configuration = Configuration() if options.config is None else read_configuration(options.config)
        for name in configuration.secrets.env:  # also where something takes it from the environment by itself
            redactor.add(os.environ.get(name, "")[:LONGEST])
        plugins, wire_names = _load(options, configuration)
    except UsageError as exc:
        sys.stderr.write(f"pybridge worker: {one_line(str(exc))}\n")
        return 2
    except BridgeError as exc:
        sys.stderr.write(f"pybridge worker: {one_line(redactor.redact(str(exc)))}\n")
        _refuse(exc, redactor, options.codec, wire_out)
        return 1
    transport = DescriptorTransport(wire_in, wire_out)
    os.register_at_fork(after_in_child=transport.disown)
    worker = Worker(
        options,
        plugins,
        transport,
        configuration=configuration,
        redactor=redactor,
        orders=orders,
        wire_names=wire_names,
    )
    if say_ready >= 0:
        os.write(say_ready, b"!")
        os.close(say_ready)
    code = worker.run()
    ignore_signals()
    return _leave(code)


def _leave(code: int) -> NoReturn:
    """End the process as the interpreter does, except that nothing is freed: what frameworks make takes too long.

    To free LangChain's modules is half a second of computing, in which no thread may run: on a busy machine the
    guardian had to kill workers that had done all they should.
    """
    threading._shutdown()  # type: ignore[attr-defined]  # waits for threads that are no daemons
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


def _refuse(error: BridgeError, redactor: Redactor, codec: str, wire_out: int) -> None:
    """Tell the peer why there is no worker: an answer to whatever it may have asked."""
    connection = Connection("worker", codec=codec)
    failure = Failure.of(None, error, time.time())
    info = msgspec.structs.replace(failure.error_info, details=redactor.scrub(failure.error_info.details))
    failure = msgspec.structs.replace(failure, error=redactor.redact(failure.error), error_info=info)
    try:
        frame = connection.send(failure, closes=False)
    except BridgeError:  # an argument that is no text, in the error's words and details
        info = msgspec.structs.replace(failure.error_info, details={})
        text = failure.error.encode("utf-8", "backslashreplace").decode()
        frame = connection.send(msgspec.structs.replace(failure, error=text, error_info=info), closes=False)
    with suppress(OSError):  # the peer is gone
        os.write(wire_out, frame)


def _load(options: Options, configuration: Configuration) -> tuple[PluginHost, Mapping[str, str]]:
    """Load the plugins asked for, and a class that was brought; what was not asked for cannot fail.

    Returns:
        The plugins, and the names besides those of operations that older peers may use.

    Raises:
        BridgeError: A framework asked for by name cannot be served; with --strict, any failure.
    """
    wanted = frozenset(options.frameworks) if options.frameworks or options.bridge is not None else None
    allow = wanted if options.allow is None else options.allow if wanted is None else options.allow & wanted
    named = {name: one.distribution for name, one in configuration.frameworks.items() if one.distribution is not None}
    plugins = PluginHost(allow=allow, block=options.block, distributions=named, strict=options.strict)
    plugins.discover()
    plugins.set_environment(os.environ)
    wire_names: Mapping[str, str] = {}
    if options.bridge is not None:
        from bridge_core.compat._plugin import add_bridge  # only who brings one pays

        wire_names = add_bridge(plugins, options.bridge, mode=options.mode, worker_id=options.worker_id)
    for failure in plugins.failures:
        _log.warning("%s", failure.sentence())
    for name in configuration.frameworks:
        if cause := plugins.absence(name):
            _log.warning("the configuration has settings for the framework %r: %s", name, cause)
    for name in (*options.frameworks, *filter(None, [configuration.default])):
        plugins.get(name)
    return plugins, wire_names
