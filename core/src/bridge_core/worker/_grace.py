"""How long things may take when a worker ends, in seconds; apart, because the guardian must import next to nothing."""

from __future__ import annotations

__all__ = ["ALONE", "GRACE", "HARD", "LAST_WORDS", "ORPHANS", "START"]

GRACE = 2.0
"""For accepted work to finish."""
ALONE = 0.4
"""The same when the peer is gone."""
LAST_WORDS = 0.05
"""For what stops when it is told to, once the grace is over."""
HARD = 0.3
"""For plugins' shutdown and the interpreter's own exit, after that."""
ORPHANS = 0.2
"""For what a worker leaves behind to end by itself, as resource trackers do once their owner is gone."""
START = 30.0
"""For a worker whose input has ended before it serves."""
