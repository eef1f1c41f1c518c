"""Libraries for remote calls, each over its fastest transport for one machine."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import numpy as np

from bench.link import TINY, Link, Peer, free_port, socket_path, spawn, until

__all__ = ["PEERS"]


@asynccontextmanager
async def _execnet() -> AsyncIterator[Link]:
    import execnet

    from bench.serve.execnet import serve

    gateway = execnet.makegateway(f"popen//python={sys.executable}")
    channel = gateway.remote_exec(serve)
    pid = channel.receive()

    def submit(value: Any) -> Callable[[], Any]:
        channel.send(("echo", value))
        received: Callable[[], Any] = channel.receive
        return received

    def stream(count: int) -> Iterator[Any]:
        channel.send(("stream", count))
        for _ in range(count):
            yield channel.receive()

    try:
        yield Link(
            pid=pid,
            echo=lambda value: submit(value)(),
            submit=submit,
            stream=stream,
            array=lambda value: np.frombuffer(submit(value.tobytes())(), value.dtype),
        )
    finally:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


@asynccontextmanager
async def _rpyc() -> AsyncIterator[Link]:
    import rpyc

    with socket_path() as path, spawn("rpyc", path) as process:
        connection = until(lambda: rpyc.utils.factory.unix_connect(path, config={"sync_request_timeout": 60}))
        later = rpyc.async_(connection.root.echo)

        def submit(value: Any) -> Callable[[], Any]:
            answer = later(json.dumps(value))
            return lambda: json.loads(answer.value)

        yield Link(
            pid=process.pid,
            echo=lambda value: json.loads(connection.root.echo(json.dumps(value))),
            submit=submit,
            stream=lambda count: map(json.loads, connection.root.stream(count)),
            array=lambda value: np.frombuffer(connection.root.array(value.tobytes()), value.dtype),
        )


@asynccontextmanager
async def _pyro5() -> AsyncIterator[Link]:
    import Pyro5.api

    Pyro5.config.SERIALIZER = "msgpack"
    with socket_path() as path, spawn("pyro5", path) as process:

        def connect() -> Any:
            return Pyro5.api.Proxy(f"PYRO:echo@./u:{path}")

        with connect() as proxy:
            until(lambda: proxy.echo(TINY))
            yield Link(
                pid=process.pid,
                echo=proxy.echo,
                connect=lambda: connect().echo,
                stream=proxy.stream,
                array=lambda value: np.frombuffer(proxy.echo(value.tobytes()), value.dtype),
            )


@asynccontextmanager
async def _zerorpc() -> AsyncIterator[Link]:
    import zerorpc

    with socket_path() as path, spawn("zerorpc", path) as process:
        client = zerorpc.Client(f"ipc://{path}", timeout=60)
        until(client.pid)

        def submit(value: Any) -> Callable[[], Any]:
            answer: Callable[[], Any] = client.echo(value, **{"async": True}).get
            return answer

        yield Link(
            pid=process.pid,
            echo=client.echo,
            submit=submit,
            stream=client.stream,
            array=lambda value: np.frombuffer(client.echo(value.tobytes()), value.dtype),
        )
        client.close()


@asynccontextmanager
async def _xmlrpc() -> AsyncIterator[Link]:
    from xmlrpc.client import ServerProxy

    port = free_port()

    def connect() -> Callable[[Any], Any]:
        proxy = ServerProxy(f"http://127.0.0.1:{port}", allow_none=True, use_builtin_types=True)
        echo: Callable[[Any], Any] = proxy.echo
        return echo

    with spawn("xmlrpc", str(port)) as process:
        echo = connect()
        until(lambda: echo(TINY))
        yield Link(
            pid=process.pid,
            echo=echo,
            connect=connect,
            array=lambda value: np.frombuffer(echo(value.tobytes()), value.dtype),
        )


PEERS = [
    Peer(name="pyro5", title="Pyro5", open=_pyro5, needs=("Pyro5", "msgpack")),
    Peer(name="execnet", title="execnet", open=_execnet, needs=("execnet",)),
    Peer(name="rpyc", title="RPyC", open=_rpyc, needs=("rpyc",)),
    Peer(name="xmlrpc", title="xmlrpc", open=_xmlrpc),
    Peer(name="zerorpc", title="zerorpc", open=_zerorpc, needs=("zerorpc",)),
]
