"""The chart of a run: bars on logarithmic scales, as SVG written by hand."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

import attrs

from .figures import Figures
from .link import Peer
from .report import number

__all__ = ["chart"]

_WIDTH, _LABEL, _VALUE = 420, 150, 62
_ROW, _HEAD, _GAP = 17, 46, 20
_OURS, _FLOOR, _OTHER = "#0b6e4f", "#c9ced6", "#7d8ca3"


@attrs.frozen
class _Panel:
    title: str
    key: str
    less_is_better: bool


_PANELS = (
    _Panel("round trip, µs (one CPU)", "p50_us", True),
    _Panel("64 in flight, calls/s", "in_flight", False),
    _Panel("array of 16 MiB, MB/s", "array", False),
    _Panel("10,000 chunks, chunks/s", "chunks", False),
)


def chart(figures: Figures, peers: Mapping[str, Peer]) -> str:
    """Return four panels, two by two, each with the best on top."""
    panels = [_rows(panel, figures, peers) for panel in _PANELS]
    tall = [_HEAD + _ROW * max(map(len, panels[at : at + 2])) + _GAP for at in (0, 2)]
    width, height = 2 * _WIDTH + 3 * _GAP, sum(tall) + _GAP
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}">',
        '<g font-family="system-ui, sans-serif" font-size="11.5">',
        f'<rect width="{width}" height="{height}" rx="6" fill="#ffffff"/>',
    ]
    for at, (panel, rows) in enumerate(zip(_PANELS, panels, strict=True)):
        x, y = _GAP + at % 2 * (_WIDTH + _GAP), _GAP + at // 2 * tall[0]
        parts += _drawn(panel, rows, x, y)
    return "\n".join([*parts, "</g>", "</svg>", ""])


def _rows(panel: _Panel, figures: Figures, peers: Mapping[str, Peer]) -> list[tuple[Peer, float]]:
    found = [(peer, value) for peer in peers.values() if (value := figures.median(peer.name, panel.key)) is not None]
    return sorted(found, key=lambda row: row[1], reverse=not panel.less_is_better)


def _drawn(panel: _Panel, rows: Sequence[tuple[Peer, float]], x: int, y: int) -> list[str]:
    better = "less" if panel.less_is_better else "more"
    parts = [
        f'<text x="{x}" y="{y + 12}" font-size="14" font-weight="600" fill="#1c2430">{escape(panel.title)}</text>',
        f'<text x="{x}" y="{y + 29}" fill="#5b6675">{better} is better, logarithmic</text>',
    ]
    if not rows:
        return parts
    lowest, highest = min(value for _, value in rows), max(value for _, value in rows)
    room = _WIDTH - _LABEL - _VALUE
    for line, (peer, value) in enumerate(rows):
        top = y + _HEAD + line * _ROW
        # The shortest bar is still seen: what it means is written beside it.
        share = math.log(value / lowest) / math.log(highest / lowest) if highest > lowest else 1.0
        length = room * (0.04 + 0.96 * share)
        color = _OURS if peer.ours else _FLOOR if peer.floor else _OTHER
        weight = ' font-weight="600"' if peer.ours else ""
        middle = top + 10.5
        parts += [
            f'<text x="{x + _LABEL - 8}" y="{middle}" text-anchor="end" fill="#1c2430"{weight}>{_label(peer)}</text>',
            f'<rect x="{x + _LABEL}" y="{top + 1}" width="{length:.1f}" height="{_ROW - 5}" rx="2" fill="{color}"/>',
            f'<text x="{x + _LABEL + length + 6:.1f}" y="{middle}" fill="#1c2430"{weight}>{number(value)}</text>',
        ]
    return parts


def _label(peer: Peer) -> str:
    return escape(peer.label or peer.title)
