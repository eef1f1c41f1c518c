"""The log: single lines on stderr, quiet unless asked."""

from __future__ import annotations

import pytest
from peer import Peer

pytestmark = [pytest.mark.sentence("P-64")]


def test_record_is_one_line_whatever_is_in_it() -> None:
    forged = "harmless\n2030-01-01 00:00:00 w-1 ERROR stolen\r\x1b[2J\u2028end"
    with Peer("--framework", "probe", "--worker-id", "w-1") as peer:
        peer.result("probe.log", {"text": forged})
        (line,) = [line for line in peer.log().split("\n") if "harmless" in line]
        assert line.endswith("WARNING harmless\\n2030-01-01 00:00:00 w-1 ERROR stolen\\r\\x1b[2J\\u2028end")


def test_record_that_is_very_long_keeps_its_beginning_and_its_end() -> None:
    with Peer() as peer:
        peer.result("probe.log", {"text": "begin" + "x" * 100_000 + "end"})
        (line,) = [line for line in peer.log().split("\n") if "begin" in line]
        assert line.endswith("end")
        assert len(line) <= 4096


def test_worker_is_quiet_unless_asked() -> None:
    with Peer() as peer:
        peer.result("ping")
        peer.reason("nonsense")
        assert peer.end() == 0
        assert peer.log() == ""


def test_debugging_worker_says_why_and_how_it_ends() -> None:
    with Peer("--framework", "probe", "--debug") as peer:
        peer.reason("probe.fail", {"how": "value"})
        assert peer.end() == 0
        assert "probe.fail failed\\nTraceback" in peer.log()
        assert "ending: end of input" in peer.log()
