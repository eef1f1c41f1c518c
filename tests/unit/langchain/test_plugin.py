"""What the plugin says about itself."""

from __future__ import annotations

import pytest
from unit.langchain.calls import Peer

from bridge_langchain import plugin


def test_operations_that_ask_a_model_run_in_threads_and_stream_and_no_others() -> None:
    operations = Peer().host.get("langchain").operations
    assert {name for name, op in operations.items() if op.streaming} == {"run_chain", "run_agent", "execute_program"}
    assert all((op.runs == "thread") is op.streaming for op in operations.values())


def test_only_configuring_configures_and_is_replayed() -> None:
    operations = Peer().host.get("langchain").operations
    assert [name for name, op in operations.items() if op.configures] == ["configure_llm"]


def test_every_operation_can_be_described() -> None:
    for operation in Peer().host.get("langchain").operations.values():
        described = operation.describe()
        assert described["summary"].endswith(".")
        assert described["arguments"]["additionalProperties"] is False


def test_framework_is_described_without_the_framework(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bridge_langchain.plugin.installed_version", lambda name: None)
    assert plugin.bridge_framework_info().version is None
