"""How a Bridge may be told what to start."""

from __future__ import annotations

from typing import Any

import pytest

from bridge_core import AsyncBridge, Bridge
from bridge_core.client import WorkerSettings
from bridge_core.client._settings import operator_settings, settings_by_framework
from bridge_core.config import LimitSettings, PolicySettings, read_configuration
from bridge_core.errors import InvalidConfigError

USUAL = WorkerSettings()


@pytest.mark.parametrize("given", ["a", ["a"], ("a",), {"a": {}}, iter(["a"]), {"a"}])
def test_frameworks_may_be_named_in_several_ways(given: Any) -> None:
    assert settings_by_framework(given) == {"a": USUAL}


def test_first_framework_is_the_default_one() -> None:
    assert [*settings_by_framework(["b", "a"])] == ["b", "a"]


def test_usual_worker_is_of_this_interpreter_over_the_fastest_wire() -> None:
    assert (USUAL.python, USUAL.transport, USUAL.codec) == (None, "socket", "msgpack")


def test_settings_are_taken_as_given() -> None:
    given = {
        "python": "/p", "environment": {"A": "1", "B": None}, "configuration": {"x": [1]}, "transport": "stdio",
        "codec": "json", "start_timeout": 1.5,
    }  # fmt: skip
    assert settings_by_framework({"a": given}) == {"a": WorkerSettings(**given)}


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ([], "$"),
        ({}, "$"),
        ({"a": {"pyton": "x"}}, "$.a.pyton"),
        ({"a": {"codec": "pickle"}}, "$.a.codec"),
        ({"a": {"transport": "tcp"}}, "$.a.transport"),
        ({"a": {"environment": {"A": 1}}}, "$.a.environment[...]"),
        ({"a": {"start_timeout": "soon"}}, "$.a.start_timeout"),
        ({"a": {"configuration": []}}, "$.a.configuration"),
        ({"a": None}, "$.a"),
        ({"a": "b"}, "$.a"),
    ],
)
def test_wrong_settings_are_refused_with_their_path(given: Any, path: str) -> None:
    for kind in (Bridge, AsyncBridge):
        with pytest.raises(InvalidConfigError) as raised:
            kind(given)
        assert raised.value.details["path"] == path


def test_workers_are_told_what_their_operator_decides_and_nothing_else() -> None:
    assert operator_settings(policy=None, limits=None) is None
    told = operator_settings(policy={"allow": ["json.*"], "deny": ("json.tool",)}, limits={"session_ttl": float("inf")})
    assert told is not None
    configuration = read_configuration(told)
    assert configuration.policy == PolicySettings(allow=("json.*",), deny=("json.tool",))
    assert configuration.limits == LimitSettings(session_ttl=None)
    assert '"secrets"' not in told


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"policy": {"alow": []}}, "$.policy.alow"),
        ({"policy": {"allow": "json"}}, "$.policy.allow"),
        ({"policy": []}, "$.policy"),
        ({"limits": {"max_sessions": 0}}, "$.limits.max_sessions"),
    ],
)
def test_wrong_decisions_of_the_operator_are_refused_with_their_path(given: Any, path: str) -> None:
    for kind in (Bridge, AsyncBridge):
        with pytest.raises(InvalidConfigError) as raised:
            kind("a", **given)
        assert raised.value.details["path"] == path
