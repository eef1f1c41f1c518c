"""How long 32 executions take that wait for a model: one worker must overlap them."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

from .link import ROOT
from .works import Numbers

__all__ = ["overlap"]

CALLS = 32
MODEL_SECONDS = 0.2
_SERVER = ROOT / "tests" / "integration" / "lm_server.py"
_EXECUTE = "dspy.execute_program"
_TIMEOUT = 30.0


def overlap() -> Numbers:
    """Measure 32 executions at once through each client; a first, unmeasured time opens the connections."""
    with _model() as base_url:
        settings = {"model": "openai/local", "api_base": base_url, "api_key": "none"}
        return {"overlap_s": _blocking(settings), "async_overlap_s": asyncio.run(_asynchronous(settings))}


def _blocking(settings: dict[str, str]) -> float:
    from bridge_core import Bridge

    with Bridge({"dspy": {"configuration": settings}}) as bridge:
        bridge.run("dspy.create_program", id="qa", signature="question -> answer", timeout=_TIMEOUT)
        for _ in range(2):
            started = perf_counter()
            futures = [bridge.submit(_EXECUTE, _arguments(number), timeout=_TIMEOUT) for number in range(CALLS)]
            for future in futures:
                assert future.result()["outputs"]["answer"]
        return perf_counter() - started


async def _asynchronous(settings: dict[str, str]) -> float:
    from bridge_core import AsyncBridge

    async with AsyncBridge({"dspy": {"configuration": settings}}) as bridge:
        await bridge.run("dspy.create_program", id="qa", signature="question -> answer", timeout=_TIMEOUT)
        for _ in range(2):
            started = perf_counter()
            calls = [bridge.run(_EXECUTE, _arguments(number), timeout=_TIMEOUT) for number in range(CALLS)]
            for result in await asyncio.gather(*calls):
                assert result["outputs"]["answer"]
        return perf_counter() - started


def _arguments(number: int) -> dict[str, object]:
    return {"program_id": "qa", "inputs": {"question": f"number {number}?"}}


@contextmanager
def _model() -> Iterator[str]:
    """Start the local server, which takes 200 ms for every answer, and give its URL."""
    command = [sys.executable, str(_SERVER), str(MODEL_SECONDS)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield server.stdout.readline().strip()
        finally:
            server.communicate()
