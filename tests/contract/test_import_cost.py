"""Importing us is cheap: nothing is loaded before somebody needs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.metadata import entry_points

import pytest

from contract.sources import packages

SCRIPT = """
import sys
before = set(sys.modules)
import {module}
import json
sys.stderr.flush()
sys.stdout.write(json.dumps([sorted(before), sorted(set(sys.modules) - before)]))
"""
PLUGINS = {point.name: point.module for point in entry_points(group="bridge.plugins")}
FRAMEWORKS = {
    "dspy": ["dspy", "litellm", "openai", "lm15", "numpy"],
    "langchain": ["langchain", "langchain_core", "langgraph", "openai", "pydantic"],
    "transformers": ["transformers", "torch", "tokenizers", "huggingface_hub", "numpy"],
}


def loaded_by(module: str, *, forbidden: list[str]) -> set[str]:
    """Return what a fresh interpreter loads for a module; fails where the answer would be blind to the forbidden."""
    # Without coverage in the child, which imports much itself.
    env = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    script = SCRIPT.format(module=module)
    done = subprocess.run([sys.executable, "-c", script], env=env, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr.decode()
    before, after = json.loads(done.stdout)
    assert not set(before) & set(forbidden), "loaded at the start of every interpreter here: nothing can be said"
    return set(after)


def test_importing_bridge_core_loads_nothing_else_of_ours() -> None:
    ours = loaded_by("bridge_core", forbidden=[])
    assert {name for name in ours if name.startswith("bridge_core.")} == set()


def test_importing_bridge_core_loads_nothing_heavy() -> None:
    heavy = ["asyncio", "subprocess", "grpc", "click", "rich", "concurrent.futures", "multiprocessing"]
    assert loaded_by("bridge_core", forbidden=heavy) & set(heavy) == set()


def test_importing_the_worker_loads_no_command_line_and_no_event_loop() -> None:
    heavy = ["click", "rich", "asyncio", "concurrent.futures", "multiprocessing", "grpc"]
    assert loaded_by("bridge_core.worker._entry", forbidden=heavy) & set(heavy) == set()


def test_importing_the_worker_loads_nothing_that_would_slow_down_its_start() -> None:
    slow = ["attr", "attrs", "dataclasses"]
    assert loaded_by("bridge_core.worker._entry", forbidden=slow) & set(slow) == set()


def test_importing_the_worker_loads_no_other_edge() -> None:
    edges = tuple(f"bridge_core.{edge}" for edge in ("client", "cli", "compat", "server", "pool", "testing"))
    assert {name for name in loaded_by("bridge_core.worker._entry", forbidden=[]) if name.startswith(edges)} == set()


def test_every_plugin_of_this_repository_is_installed() -> None:
    expected = {name for name in packages() if name != "bridge_core"}
    assert {module.split(".")[0] for module in PLUGINS.values()} == expected


@pytest.mark.parametrize("name", sorted(PLUGINS))
def test_importing_a_plugin_does_not_import_its_framework(name: str) -> None:
    heavy = FRAMEWORKS[name]
    assert loaded_by(PLUGINS[name], forbidden=heavy) & set(heavy) == set()
