"""A plugin that was written for hook API 1 as that was declared is served unchanged: tests/golden/hook-api-1."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from peer import Peer

pytestmark = [pytest.mark.capability("A08")]

GOLDEN = Path(__file__).parents[1] / "golden/hook-api-1"
ROWS = [[1.0, 2.0], [30.0, 1.0]]


@pytest.fixture
def peer() -> Iterator[Peer]:
    with Peer("--framework", "iris", folders=(GOLDEN,)) as running:
        yield running


def test_what_the_plugin_says_of_itself_is_shown(peer: Peer) -> None:
    described = peer.result("describe", {"framework": "iris"})
    operations = {one["name"]: one for one in described.pop("operations")}
    said = {
        "name": "iris",
        "distribution": "iris",
        "version": None,
        "imports": ["statistics"],
        "environment": {"IRIS_HOME": "/nowhere"},
        "capabilities": ["train", "predict"],
        "callables": ["iris.Model"],
        "configuration_targets": ["iris.configure"],
        "requires_python": ">=3.9",
        "required_packages": ["iris>=1"],
        "test_layers": ["fake", "real"],
        "deterministic": True,
        "plugin": "bridge-iris 1.0",
    }
    assert {name: described.get(name) for name in said} == said  # a later core may show more
    assert operations["iris.train"]["summary"] == "Train a model."
    assert operations["iris.train"]["arguments"]["properties"]["options"]["properties"]["rounds"] == {
        "type": "integer", "minimum": 1, "description": "passes over the data", "default": 10,
    }  # fmt: skip
    assert [name for name, one in operations.items() if one["streaming"]] == ["iris.predict"]
    assert {name: one["runs"] for name, one in operations.items()} == {
        "iris.train": "main",
        "iris.predict": "thread",
        "iris.score": "async",
        "iris.get_model": "main",
        "iris.set_threshold": "main",
        "iris.forget": "main",
    }


def test_settings_calls_streams_objects_errors_and_progress_work(peer: Peer) -> None:
    greeted = peer.result("hello", {"protocol": [1, 1], "want": ["progress"]})
    assert "iris.set_threshold" in greeted["configures"]
    early = peer.ask("iris.train", {"options": {}})
    assert early["error_info"]["reason"] == "NOT_CONFIGURED"
    settings = peer.result("configure", {"framework": "iris", "config": {"threshold": 0.7}})
    assert settings["config"] == {"threshold": 0.7, "labels": None}
    assert peer.result("iris.set_threshold", {"threshold": 0.9}) == {"threshold": 0.9}
    train = peer.send("iris.train", {"options": {"rounds": 5}, "id": "m"})
    told = peer.receive()
    while told.get("data", {}).get("message") != "training":  # that modules are imported is said, too
        told = peer.receive()
    assert told["data"]["fraction"] == 0.5
    assert peer.response(train)["result"] == {"model_id": "m"}
    assert peer.result("iris.get_model", {"model_id": "m"}) == {"rounds": 5}
    found = {"model_id": "m", "values": ROWS}
    assert peer.result("iris.predict", found) == {"labels": ["setosa", "virginica"]}
    chunks, last = peer.stream("iris.predict", found)
    assert [chunk["payload"] for chunk in chunks if not chunk["is_final"]] == [
        {"label": "setosa"},
        {"label": "virginica"},
    ]
    assert last["result"] == {"count": 2}
    assert peer.result("iris.score", {"expected": ["a", "b"], "got": ["a", "c"], "more": 1}) == 0.5
    missing = peer.ask("iris.predict", {"model_id": "nobody", "values": []})
    assert missing["error_info"]["reason"] == "IRIS_MODEL_MISSING"
    assert missing["error_info"]["details"] == {"model_id": "nobody"}
    assert peer.result("iris.forget", {"model_id": "m"}, timeout_ms=60_000, id="last", framework="iris") == {
        "before": {"$type": "tuple", "items": [["m"], 1]},
        "after": [],
        "session": "anonymous",
        "operation": "iris.forget",
        "framework": "iris",
        "request": "last",
        "deadline": True,
    }


def test_plugin_is_told_that_it_is_over(tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    with Peer("--framework", "iris", folders=(GOLDEN,), environment={"IRIS_JOURNAL": str(journal)}) as peer:
        peer.result("shutdown")
        assert peer.wait() == 0
    assert journal.read_text() == "over, hook API 1"
