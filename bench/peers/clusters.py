"""Frameworks for clusters, on this machine alone."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

from bench.link import TINY, Link, Peer
from bench.serve.functions import Echo, pid

__all__ = ["PEERS"]


@asynccontextmanager
async def _ray() -> AsyncIterator[Link]:
    import ray

    if not ray.is_initialized():  # once in a process: what is measured as its start is an actor's
        ray.init(
            num_cpus=4, include_dashboard=False, object_store_memory=2**29, log_to_driver=False, logging_level="error"
        )
    actor = ray.remote(max_restarts=-1, max_task_retries=-1)(Echo).remote()

    def submit(value: Any) -> Callable[[], Any]:
        answer = actor.echo.remote(value)
        return lambda: ray.get(answer)

    def stream(count: int) -> Iterator[Any]:
        return map(ray.get, actor.stream.options(num_returns="streaming").remote(count))

    def echo(value: Any) -> Any:
        return ray.get(actor.echo.remote(value))

    try:
        worker = ray.get(actor.pid.remote())
        yield Link(pid=worker, echo=echo, submit=submit, stream=stream, array=echo, supervised=True)
    finally:
        ray.kill(actor)


@asynccontextmanager
async def _dask() -> AsyncIterator[Link]:
    from distributed import Client, LocalCluster

    with (
        LocalCluster(
            n_workers=1, threads_per_worker=1, dashboard_address=None, asynchronous=False, silence_logs=50
        ) as cluster,
        Client(cluster, asynchronous=False) as client,
    ):
        actor = client.submit(Echo, actor=True).result()

        def submit(value: Any) -> Callable[[], Any]:
            answer: Callable[[], Any] = actor.echo(value).result
            return answer

        def echo(value: Any) -> Any:
            return actor.echo(value).result()

        worker = client.submit(pid, pure=False).result()
        echo(TINY)
        yield Link(pid=worker, echo=echo, submit=submit, array=echo)


PEERS = [
    Peer(name="ray", title="Ray actor", open=_ray, needs=("ray",)),
    Peer(name="dask", title="Dask actor", open=_dask, needs=("distributed",)),
]
