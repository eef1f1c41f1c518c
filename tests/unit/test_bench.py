"""What the benchmark makes of the numbers that it has recorded."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from bench.chart import chart
from bench.figures import Figures
from bench.goals import GOALS, Goal, Verdict
from bench.link import Link, Peer
from bench.report import number, report


@asynccontextmanager
async def _never() -> AsyncIterator[Link]:
    raise AssertionError("nothing is measured here")
    yield


def _found(name: str, numbers: Mapping[str, float], failed: Mapping[str, str] | None = None) -> dict[str, Any]:
    return {"name": name, "numbers": numbers, "failed": failed or {}, "versions": {name: "1.0"}}


NAMES = sorted({"bridge", *(goal.against for goal in GOALS if goal.against is not None)})
PEERS = {name: Peer(name=name, title=f"the {name}", open=_never, ours=name == "bridge") for name in NAMES}
FIGURES = Figures.of([
    _found("bridge", {"p50_us": 20.0, "in_flight": 90_000.0}),
    _found("bridge", {"p50_us": 26.0}),
    _found("bridge", {"p50_us": 22.0}, {"array": "ValueError: too large"}),
    _found("pyro5", {"p50_us": 44.0, "start_ms": 80.0}),
    _found("ray", {}, {"start": "not installed: ray"}),
    _found("ray", {}, {"start": "not installed: ray"}),
])  # fmt: skip


def test_figures_are_medians_over_the_rounds_that_have_them() -> None:
    assert FIGURES.median("bridge", "p50_us") == 22.0
    assert FIGURES.median("bridge", "in_flight") == 90_000.0
    assert FIGURES.median("bridge", "chunks") is None
    assert list(FIGURES.rounds("bridge", "p50_us")) == [20.0, 26.0, 22.0]
    assert (FIGURES.measured("pyro5"), FIGURES.measured("ray")) == (True, False)


@pytest.mark.parametrize(
    ("goal", "verdict"),
    [
        (Goal("", "p50_us", "≤", 0.5, "pyro5"), Verdict(measured=0.5, reached=True)),
        (Goal("", "p50_us", "≤", 0.4, "pyro5"), Verdict(measured=0.5, reached=False)),
        (Goal("", "p50_us", "≥", 0.5, "pyro5"), Verdict(measured=0.5, reached=True)),
        (Goal("", "p50_us", "<", 22, unit="µs"), Verdict(measured=22.0, reached=False)),
        (Goal("", "p50_us", "≤", 1, "pyro5", other_key="start_ms"), Verdict(measured=0.275, reached=True)),
        (Goal("", "start_ms", "≤", 0.5, subject="pyro5", unit="ms"), Verdict(measured=80.0, reached=False)),
        (Goal("", "p50_us", "≤", 0.8, "ray"), Verdict(measured=None, reached=None)),
        (Goal("", "chunks", "≥", 1.5, "pyro5"), Verdict(measured=None, reached=None)),
    ],
)
def test_goal_compares_medians_and_says_so_when_there_are_none(goal: Goal, verdict: Verdict) -> None:
    assert goal.verdict(FIGURES) == verdict


def test_report_has_every_goal_and_names_what_was_skipped_once() -> None:
    page = report(FIGURES, PEERS, head="* a machine")
    assert "| round trip, one CPU | ≤ 0.8 × the pyro5 | 0.50 | reached | 20.0 – 26.0 (44.0) |" in page
    assert page.count("not measured") == len([goal for goal in GOALS if goal.verdict(FIGURES).reached is None])
    assert page.count("* the ray: not installed: ray") == 1
    assert "* the bridge, array: ValueError: too large" in page
    assert "bridge 1.0, pyro5 1.0, ray 1.0." in page


def test_report_tells_who_is_ahead_whichever_side_is_better() -> None:
    found = [
        _found("bridge", {"p50_us": 20.0, "chunks": 20.0}),
        _found("pyro5", {"p50_us": 10.0, "chunks": 10.0}),
        _found("ray", {"p50_us": 30.0, "chunks": 30.0}),
    ]
    page = report(Figures.of(found), PEERS, head="")
    ahead = page.partition("## Who is ahead")[2].partition("##")[0]
    assert "one CPU (20.0): the pyro5 (10.0)\n" in ahead
    assert "chunks/s (20.0): the ray (30.0)\n" in ahead


def test_chart_has_a_bar_for_each_peer_that_was_measured() -> None:
    picture = ET.fromstring(chart(FIGURES, PEERS))
    words = [text.text for text in picture.iter("{http://www.w3.org/2000/svg}text")]
    assert words.count("the bridge") == 2
    assert words.count("the pyro5") == 1
    assert "the ray" not in words


@pytest.mark.parametrize(
    ("value", "text"), [(None, "–"), (0.298, "0.30"), (22.04, "22.0"), (90_000.4, "90,000"), (-0.2, "-0.20")]
)
def test_numbers_are_written_with_the_digits_that_mean_something(value: float | None, text: str) -> None:
    assert number(value) == text
