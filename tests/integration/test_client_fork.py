"""A process forked from one that has a Bridge leaves the Bridge alone."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from bridges import WIRES, Wire
from peer import PATIENCE

FORKER = Path(__file__).parents[1] / "forker.py"
REFUSED = ["run", "submit", "stream", "batch", "configure", "info", "start", "session", "new session", "in time"]


@pytest.mark.parametrize("wire", WIRES[:2], ids="+".join)
@pytest.mark.parametrize(
    ("when", "kept"), [("unused", "REF_NOT_FOUND"), ("idle", "1"), ("busy", "1"), ("ended", "REF_LOST")]
)
def test_child_refuses_every_verb_and_the_parent_goes_on(wire: Wire, when: str, kept: str) -> None:
    command = [sys.executable, "-W", "error", "-W", "ignore::DeprecationWarning", str(FORKER), *wire, when]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=4 * PATIENCE, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
    seen = json.loads(ran.stdout)
    child = seen["child"]
    assert {name: child[name] for name in REFUSED} == dict.fromkeys(REFUSED, "FORKED_PROCESS")
    open_ones = "FORKED_PROCESS" if when == "busy" else None
    assert (child["open stream"], child["open future"]) == (open_ones or "1", open_ones or "None")
    assert [child[name] for name in ("pids", "close session", "close", "close again")] == ["{}", "None", "None", "None"]
    assert seen["parent"] == {"result": 1, "kept": kept, "ends": [True, True]}
