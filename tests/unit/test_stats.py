"""What a worker counts."""

from __future__ import annotations

import pytest

from bridge_core.worker._stats import Stats

pytestmark = [pytest.mark.capability("A07", "A11")]


def test_requests_and_errors_are_counted_once_each() -> None:
    stats = Stats()
    for failed in (False, True, True):
        stats.received()
        stats.answered("probe.echo", failed=failed, seconds=0.5)
    stats.received()
    stats.answered(None, failed=True)
    assert (stats.requests, stats.errors) == (4, 3)
    assert stats.by_operation() == {"probe.echo": {"count": 3, "errors": 2, "mean_ms": 500.0, "max_ms": 500.0}}


def test_latencies_have_a_mean_and_a_maximum_per_operation() -> None:
    stats = Stats()
    for name, seconds in (("b", 1.0), ("a", 0.25), ("b", 3.0)):
        stats.answered(name, failed=False, seconds=seconds)
    found = stats.by_operation()
    assert list(found) == ["a", "b"]
    assert (found["b"]["mean_ms"], found["b"]["max_ms"]) == (2000.0, 3000.0)


def test_uptime_grows() -> None:
    stats = Stats()
    before = stats.uptime
    assert 0 <= before <= stats.uptime
    assert stats.started > 1_600_000_000
