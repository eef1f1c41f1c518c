"""What the plugin says about itself."""

from __future__ import annotations

import pytest
from unit.dspy.calls import Peer

from bridge_dspy import plugin


def test_operations_are_registered_where_they_should_run() -> None:
    operations = Peer().host.get("dspy").operations
    assert {name: (op.runs, op.streaming) for name, op in operations.items()} == {
        "configure_lm": ("main", False),
        "create_program": ("main", False),
        "execute_program": ("thread", True),
        "list_programs": ("main", False),
        "get_program": ("main", False),
        "delete_program": ("main", False),
    }


def test_every_operation_can_be_described() -> None:
    for operation in Peer().host.get("dspy").operations.values():
        described = operation.describe()
        assert described["summary"].endswith(".")
        assert described["arguments"]["additionalProperties"] is False


def test_framework_is_described_without_the_framework(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bridge_dspy.plugin.installed_version", lambda name: None)
    assert plugin.bridge_framework_info().version is None


def test_cache_directory_belongs_to_one_dspy_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/caches")
    directories = []
    for version in ("3.4.0", "3.4.1"):
        monkeypatch.setattr("bridge_dspy.plugin.installed_version", lambda name, version=version: version)
        directories.append(plugin.bridge_framework_info().environment["DSPY_CACHEDIR"])
    assert all(directory.startswith("/caches/bridge/dspy/") for directory in directories)
    assert directories[0] != directories[1]
