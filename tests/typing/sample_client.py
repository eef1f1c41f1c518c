"""A program that uses frameworks, as its author would write it; checked by mypy, never run."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future, as_completed
from typing import Any

from bridge_core import AsyncBridge, AsyncRef, Bridge, BridgeError, BridgeSession, Ref, Step
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
    policy = {"allow": ["pandas", "sklearn.*"]}
    with Bridge(settings, on_stderr=lambda line: None, policy=policy, limits={}) as bridge, bridge.session() as session:
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
        use_any_library(session)
        assert texts, (outcomes, pids, bridge.info("dspy"))


def use_any_library(session: BridgeSession) -> None:
    """Use objects that stay in the worker."""
    frame = session.call("pandas.read_csv", "data.csv", store_as="df", kwargs={"store_as": 1}, timeout=30)
    assert isinstance(frame, Ref), frame
    table: Ref = session.store("table", {"rows": [frame, frame.item("a", 0)]})
    names: tuple[str, str, str] = (table.id, table.type, table.repr)
    table.set("name", table.attribute("rows"))
    assert table.call("head", 5, by_value=True) == table.value("rows", 0), (table.describe(), names)
    split = Step("sklearn.model_selection.train_test_split", frame, test_size=0.2, omit=True)
    results: list[Any] = session.pipeline([split, Step("sklearn.fit", split.item(0))], rollback=True)
    stored: list[str] = session.list_stored()
    session.set_attribute("stored.df.name", results)
    assert session.inspect("pandas.read_csv")["callable"], stored
    table.release()
    session.delete_stored("df")
    session.clear_session()


async def main_async() -> None:
    """Use the same verbs from asyncio."""
    async with AsyncBridge(["dspy"]) as bridge, bridge.session() as session:
        await session.configure("dspy", {"model": "embedded"})
        task: asyncio.Task[Any] = session.submit("dspy.list_programs")
        async with session.stream("dspy.execute_program", program_id="qa", inputs={}, timeout=5) as chunks:
            async for chunk in chunks:
                assert chunk
        made: AsyncRef = await session.store("x", 1)
        assert await made.value() == await session.retrieve("x") == await session.call("copy.copy", made)
        await asyncio.gather(task, session.run("ping"), session.batch([("ping", {})]))
