"""The figures that the project has set itself, and whether a run reaches them."""

from __future__ import annotations

from typing import Literal

import attrs

from .figures import Figures

__all__ = ["GOALS", "Goal", "Verdict"]


@attrs.frozen(kw_only=True)
class Verdict:
    """How a goal came out."""

    measured: float | None
    """The ratio, or the figure itself where the goal is absolute; None if something was not measured."""
    reached: bool | None


@attrs.frozen
class Goal:
    """One number of ours in relation to one of another peer's, or to a constant.

    Args:
        text: What it is about.
        key: The number's name.
        relation: Which side of the bound is good.
        bound: Times the other's number, or in the number's own unit.
        against: The other peer; none for an absolute goal.
        subject: Which of ours.
        other_key: The other's number, if it has another name,
        other: and what that is.
        unit: Of an absolute goal.
    """

    text: str
    key: str
    relation: Literal["≤", "≥", "<"]
    bound: float
    against: str | None = None
    subject: str = attrs.field(default="bridge", kw_only=True)
    other_key: str | None = attrs.field(default=None, kw_only=True)
    other: str = attrs.field(default="", kw_only=True)
    unit: str = attrs.field(default="", kw_only=True)

    def verdict(self, figures: Figures) -> Verdict:
        """Compare the medians."""
        ours = figures.median(self.subject, self.key)
        theirs = figures.median(self.against, self.other_key or self.key) if self.against else 1.0
        if ours is None or theirs is None:
            return Verdict(measured=None, reached=None)
        ratio = ours / theirs
        reached = {"≤": ratio <= self.bound, "≥": ratio >= self.bound, "<": ratio < self.bound}[self.relation]
        return Verdict(measured=ratio, reached=reached)


GOALS = (
    Goal("round trip, one CPU", "p50_us", "≤", 0.8, "pyro5"),
    Goal("round trip, one CPU", "p50_us", "≤", 0.15, "grpc-sync"),
    Goal("round trip, one CPU", "p50_us", "≤", 0.06, "mcp"),
    Goal("64 in flight, futures", "in_flight", "≥", 1.5, "execnet"),
    Goal("64 in flight, `batch`", "batch", "≥", 1.5, "execnet", other_key="in_flight"),
    Goal("text of 1 MiB", "text", "≥", 0.6, "execnet"),
    Goal("100,000 floats, a list", "floats", "≥", 0.6, "process-pool"),
    Goal(
        "100,000 floats, ours as an array", "floats_array", "≥", 2, "process-pool", other_key="floats", other="a list"
    ),
    Goal("100,000 floats, an array", "floats_array", "≥", 2, "process-pool"),
    Goal("array of 16 MiB", "array", "≥", 1.5, "ray"),
    Goal("10,000 chunks", "chunks", "≥", 1.5, "execnet"),
    Goal("first chunk", "first_ms", "<", 1, unit="ms"),
    Goal("start to the first answer", "start_ms", "≤", 2.2, "execnet"),
    Goal("worker's RSS", "rss_mb", "≤", 30, unit="MB"),
    Goal("guardian's PSS", "guardian_mb", "≤", 6, unit="MB"),
    Goal("back after SIGKILL", "recovery_ms", "≤", 2, "bridge", other_key="start_ms", other="its start"),
    Goal("`import bridge_core`, over bare Python", "import_ms", "≤", 60, subject="imports", unit="ms"),
    Goal("`from bridge_core import Bridge`, likewise", "import_client_ms", "≤", 60, subject="imports", unit="ms"),
    Goal("JSON over stdio from a foreign peer: round trip", "p50_us", "≤", 1.6, "naive", subject="stdio"),
    Goal("32 calls at once of a model that takes 200 ms", "overlap_s", "≤", 0.5, subject="overlap", unit="s"),
)
