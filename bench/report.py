"""The tables of a run, in Markdown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import attrs

from .figures import Figures
from .goals import GOALS, Goal
from .link import Peer

__all__ = ["COLUMNS", "Column", "number", "report"]


@attrs.frozen
class Column:
    """One number of the large table."""

    key: str
    title: str
    less_is_better: bool = True


COLUMNS = (
    Column("p50_us", "round trip p50 µs, one CPU"),
    Column("x_floor", "× raw floor"),
    Column("p99_us", "p99 µs, one CPU"),
    Column("free_p50_us", "p50 µs, free"),
    Column("free_p99_us", "p99 µs, free"),
    Column("in_flight", "64 in flight, calls/s", False),
    Column("text", "1 MiB text MB/s", False),
    Column("floats", "100k floats, list MB/s", False),
    Column("floats_array", "100k floats, array MB/s", False),
    Column("array", "16 MiB array MB/s", False),
    Column("chunks", "chunks/s", False),
    Column("first_ms", "first chunk ms"),
    Column("start_ms", "start ms"),
    Column("rss_mb", "worker RSS MB"),
    Column("pss_mb", "all it starts, PSS MB"),
    Column("guardian_mb", "of which guardian MB"),
    Column("recovery_ms", "back after SIGKILL ms"),
)
_OWN = (
    ("bridge", "batch", "calls/s in batches of 64 (`Bridge.batch`)"),
    ("imports", "bare_ms", "ms, `python -c pass`"),
    ("imports", "import_ms", "ms more for `import bridge_core`"),
    ("imports", "import_client_ms", "ms more for `from bridge_core import Bridge`"),
    ("framework", "dspy_start_ms", "ms until a worker has imported and configured DSPy"),
    ("framework", "bare_dspy_ms", "ms for `python -c 'import dspy'`"),
    ("framework", "dspy_rss_mb", "MB, RSS of that worker"),
    ("framework", "bare_dspy_rss_mb", "MB, RSS of that Python"),
    ("framework", "dspy_guardian_mb", "MB, PSS of that worker's guardian"),
    ("framework", "dspy_pss_mb", "MB, PSS of worker and guardian"),
    ("overlap", "overlap_s", "s for 32 executions at once, a model that takes 0.2 s (`Bridge`)"),
    ("overlap", "async_overlap_s", "s for the same (`AsyncBridge`)"),
)
_HEADINGS = {"imports": "imports", "framework": "with DSPy", "overlap": "overlapping calls"}


def number(value: float | None) -> str:
    """Write three digits that mean something."""
    if value is None:
        return "–"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}"


def table(head: Sequence[str], rows: Iterable[Sequence[str]], *, left: int = 1) -> str:
    """Return a Markdown table whose first columns are text."""
    rule = [*["---"] * left, *["--:"] * (len(head) - left)]
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, rule, *rows])


def goals(figures: Figures, peers: Mapping[str, Peer]) -> str:
    """Return the goals with what was measured, one row each."""

    def row(goal: Goal) -> Sequence[str]:
        verdict = goal.verdict(figures)
        if goal.against is not None:
            bound = f"{goal.relation} {goal.bound:g} × {peers[goal.against].title}"
            bound += f", {goal.other}" if goal.other else ""
        else:
            bound = f"{goal.relation} {goal.bound:g} {goal.unit}"
        outcome = {True: "reached", False: "**missed**", None: "not measured"}[verdict.reached]
        return [goal.text, bound, number(verdict.measured), outcome, _spread(goal, figures)]

    return table(["goal", "bound", "measured", "", "rounds, ours (theirs)"], map(row, GOALS), left=2)


def _spread(goal: Goal, figures: Figures) -> str:
    def span(name: str, key: str) -> str:
        values = figures.rounds(name, key)
        return " – ".join(dict.fromkeys([number(min(values)), number(max(values))])) if values else "–"

    ours = span(goal.subject, goal.key)
    return ours if goal.against is None else f"{ours} ({span(goal.against, goal.other_key or goal.key)})"


def everything(figures: Figures, peers: Mapping[str, Peer]) -> str:
    """Return the large table: ours, then the others from the shortest round trip to the longest."""
    shown = [peer for peer in peers.values() if figures.measured(peer.name)]

    def place(peer: Peer) -> tuple[bool, bool, float]:
        return not peer.ours, not peer.floor, figures.median(peer.name, "p50_us") or float("inf")

    rows = [
        [peer.title, *(number(figures.median(peer.name, column.key)) for column in COLUMNS)]
        for peer in sorted(shown, key=place)
    ]
    return table(["", *(column.title for column in COLUMNS)], rows)


def ahead(figures: Figures, peers: Mapping[str, Peer]) -> str:
    """Return who is ahead of us in which column, floors left out."""
    if not figures.measured("bridge"):
        return "It was not measured."
    lines = []
    for column in COLUMNS:
        ours = figures.median("bridge", column.key)
        better: Callable[[float, float], bool] = float.__lt__ if column.less_is_better else float.__gt__
        found = [
            f"{peer.title} ({number(theirs)})"
            for peer in peers.values()
            if not peer.ours and not peer.floor
            and (theirs := figures.median(peer.name, column.key)) is not None
            and ours is not None and better(float(theirs), float(ours))
        ]  # fmt: skip
        if found:
            lines.append(f"* {column.title} ({number(ours)}): {', '.join(found)}")
    return "\n".join(lines) or "Nobody, in no column."


def own(figures: Figures) -> str:
    """Return what only concerns us."""
    rows = [[words, number(value)] for name, key, words in _OWN if (value := figures.median(name, key)) is not None]
    return table(["", "median"], rows)


def skipped(figures: Figures, peers: Mapping[str, Peer]) -> str:
    """Return which peers and works are missing, and why."""
    lines = []
    for name, work, why in figures.failures:
        title = peers[name].title if name in peers else _HEADINGS[name]
        lines.append(f"* {title}: {why}" if not figures.measured(name) else f"* {title}, {work}: {why}")
    return "\n".join(dict.fromkeys(lines)) or "None."


def report(figures: Figures, peers: Mapping[str, Peer], *, head: str) -> str:
    """Return the whole page.

    Args:
        figures: What was measured.
        peers: All there are.
        head: What describes the machine and the run.
    """
    versions = ", ".join(f"{name} {figures.versions[name]}" for name in sorted(figures.versions, key=str.lower))
    return "\n\n".join([
        "# Results", head,
        "## Goals", goals(figures, peers),
        "## Every peer", _EVERY, everything(figures, peers),
        "## Who is ahead of `Bridge`", ahead(figures, peers),
        "## Ours only", own(figures),
        "## Skipped or failed", skipped(figures, peers),
        "## Versions", f"{versions}.\n",
    ])  # fmt: skip


_EVERY = (
    "Medians over the rounds; of the bytes, both directions count. *Free* is where the scheduler places both"
    " processes: all that does not say *one CPU* is measured so. What a peer cannot do is –."
)
