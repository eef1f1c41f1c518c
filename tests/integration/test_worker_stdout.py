"""Stdout belongs to the wire, whatever a framework writes, and stdin too, whatever it reads."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
from peer import PATIENCE, PLUGINS, Peer, frame, plugin_path

pytestmark = [pytest.mark.capability("A14"), pytest.mark.sentence("P-64")]


@pytest.fixture(scope="module")
def peer() -> Iterator[Peer]:
    with Peer() as running:
        yield running


@pytest.mark.parametrize("how", ["print", "original", "printf", "write", "child", "fork"])
def test_whatever_a_framework_writes_goes_to_the_log(peer: Peer, how: str) -> None:
    assert peer.result("probe.say", {"how": how, "text": f"said by {how}"}) is None
    assert peer.result("ping")["status"] == "ok"
    assert f"said by {how}\n" in peer.log()


def test_banner_at_import_goes_to_the_log(peer: Peer) -> None:
    peer.result("probe.echo", {"value": 1})
    assert "thank you for importing" in peer.log()
    assert "a native library says hello" in peer.log()


def test_input_finds_nothing_to_read(peer: Peer) -> None:
    answer = peer.ask("probe.read", {"how": "input"})
    assert answer["error_info"]["details"]["exception"] == "EOFError"


@pytest.mark.parametrize(("how", "found"), [("stdin", ""), ("descriptor", 0), ("child", "")])
def test_whatever_a_framework_reads_is_empty_and_eats_no_frame(peer: Peer, how: str, found: object) -> None:
    pair = frame({"id": "reads", "command": "probe.read", "args": {"how": how}})
    peer.send_bytes(pair + frame({"id": "behind", "command": "probe.echo", "args": {"value": how}}))
    assert peer.response("reads")["result"] == found
    assert peer.response("behind")["result"] == how


@pytest.mark.parametrize("closed", ["2>&-", "2>/dev/null"])
def test_worker_serves_without_anybody_to_tell(closed: str) -> None:
    say = {"id": 1, "command": "probe.say", "args": {"how": "print", "text": "x"}}
    done = subprocess.run(
        ["sh", "-c", f'exec "$0" -m bridge_core worker --framework probe --unknown-flag {closed}', sys.executable],
        input=frame(say) + frame({**say, "id": 2, "args": {"how": "write", "text": "x"}}),
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": plugin_path(PLUGINS)},
        timeout=PATIENCE,
    )
    assert done.returncode == 0
    assert done.stdout.count(b'"success":true,"result":null') == 2
