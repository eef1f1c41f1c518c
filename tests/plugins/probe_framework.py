"""What the probe plugin serves: imported by the worker, late, and noisy about it."""

from __future__ import annotations

import os

print("probe framework 1.0: thank you for importing")  # noqa: T201 — frameworks do this
os.write(1, b"a native library says hello\n")

DECLARED = os.environ.get("PROBE_DECLARED")
OPERATOR = os.environ.get("PROBE_OPERATOR")
