"""A program that uses frameworks, as its author would write it; checked by mypy, never run."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future, as_completed
from typing import Any

from bridge_core import AsyncBridge, Bridge, BridgeError
from bridge_core.errors import WorkerCrashedError


def ask(bridge: Bridge, questions: list[str]) -> list[str]:
    """Ask all questions at once and return the answers as they come."""
    futures: list[Future[Any]] = [
        bridge.submit("dspy.execute_program", program_id="qa", inputs={"question": question}, timeout=30)
        for question in questions
    ]
    return [future.result()["outputs"]["answer"] for future in as_completed(futures)]


def main() -> None:
    """Use every verb."""
    settings = {"dspy": {"python": ".venv/bin/python", "configuration": {"model": "embedded"}}}
    with Bridge(settings, on_stderr=lambda line: None) as bridge, bridge.session() as session:
        session.configure("dspy", model="embedded")
        session.run("dspy.create_program", {"id": "qa", "signature": "question -> answer"})
        try:
            ask(bridge, ["Why?"])
        except WorkerCrashedError as exc:
            raise SystemExit(exc.message) from exc
        with session.stream("dspy.execute_program", program_id="qa", inputs={"question": "Why?"}) as chunks:
            texts: list[str] = [chunk["text"] for chunk in chunks]
        outcomes: list[Any | BridgeError] = session.batch([("dspy.list_programs", {}), ("ping", {})], timeout=5)
        pids: dict[str, int] = bridge.pids()
        assert texts, (outcomes, pids, bridge.info("dspy"))


async def main_async() -> None:
    """Use the same verbs from asyncio."""
    async with AsyncBridge(["dspy"]) as bridge, bridge.session() as session:
        await session.configure("dspy", {"model": "embedded"})
        task: asyncio.Task[Any] = session.submit("dspy.list_programs")
        async with session.stream("dspy.execute_program", program_id="qa", inputs={}, timeout=5) as chunks:
            async for chunk in chunks:
                assert chunk
        await asyncio.gather(task, session.run("ping"), session.batch([("ping", {})]))
