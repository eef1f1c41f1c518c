"""What the plugin says about itself, with nothing of its framework imported."""

from __future__ import annotations

from importlib.metadata import version

import pytest

from bridge_core import PluginHost, PluginMetadata
from bridge_transformers import plugin

_METADATA = PluginMetadata(name="transformers", distribution="bridge-transformers", version="0", target="plugin")


@pytest.fixture
def host() -> PluginHost:
    made = PluginHost(strict=True)
    made.load(_METADATA, lambda: plugin)
    return made


def test_operations_are_registered_where_they_should_run(host: PluginHost) -> None:
    operations = host.get("transformers").operations
    assert {name: (op.runs, op.streaming) for name, op in operations.items()} == {
        "load_model": ("main", False),
        "unload_model": ("main", False),
        "list_models": ("main", False),
        "generate": ("thread", True),
        "embed": ("thread", False),
        "create_program": ("main", False),
        "execute_program": ("thread", True),
        "list_programs": ("main", False),
        "get_program": ("main", False),
        "delete_program": ("main", False),
    }


def test_every_operation_can_be_described(host: PluginHost) -> None:
    for operation in host.get("transformers").operations.values():
        described = operation.describe()
        assert described["summary"].endswith(".")
        assert described["arguments"]["additionalProperties"] is False


@pytest.mark.capability("B05")
def test_text_has_100_tokens_at_most_unless_asked_otherwise(host: PluginHost) -> None:
    arguments = host.get("transformers").operations["generate"].describe()["arguments"]
    assert arguments["properties"]["max_length"]["default"] == 100


def test_framework_is_described_as_installed() -> None:
    info = plugin.bridge_framework_info()
    assert (info.version, info.required_packages) == (version("transformers"), ("bridge-transformers[torch]",))
    assert info.environment["HF_HUB_OFFLINE"] == "1"


def test_framework_is_described_without_the_framework(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bridge_transformers.plugin.installed_version", lambda name: None)
    assert plugin.bridge_framework_info().version is None
