"""The pump of a worker's stderr: no line shows a secret, however it is cut."""

from __future__ import annotations

import os

import pytest
from canary import KEY, assert_unseen, shows
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge_core.secrets._redactor import Redactor
from bridge_core.transports._lines import LastLines

pytestmark = [pytest.mark.capability("K10")]


def pumped(data: bytes, *pieces: int, redactor: Redactor | None) -> tuple[list[str], list[str]]:
    """Pump bytes, cut into pieces; return the lines passed on and those kept."""
    passed: list[str] = []
    lines = LastLines(passed.append, name="pump", redactor=redactor)
    fd = os.dup(lines.write_fd)
    lines.start()
    start = 0
    for piece in pieces:
        os.write(fd, data[start : start + piece])
        start += piece
    while data[start:]:
        start += os.write(fd, data[start : start + 60_000])
    os.close(fd)
    lines._thread.join()
    return passed, lines.finish()


def knowing(*values: str) -> Redactor:
    redactor = Redactor()
    for value in values:
        redactor.add(value)
    return redactor


@pytest.mark.parametrize("before", [0, 10, 4070, 4090, 4096, 9000, 70_000])
@pytest.mark.parametrize("after", ["", "y", "y" * 9000, "\n", "\nmore\n"])
def test_secret_across_a_cut_is_not_shown(before: int, after: str) -> None:
    data = ("x" * before + KEY + after).encode()
    passed, kept = pumped(data, redactor=knowing(KEY))
    assert_unseen("".join(passed))
    assert_unseen("".join(kept))
    assert "[redacted]" in "".join(passed)
    assert max(map(len, passed)) <= 4096


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(1, 3000), max_size=30), st.integers(0, 6000), st.booleans())
def test_secret_in_several_writes_is_not_shown(pieces: list[int], before: int, end: bool) -> None:
    data = ("x" * before + KEY + "y" * before + KEY + ("\n" if end else "z")).encode()
    passed, _ = pumped(data, *pieces, redactor=knowing(KEY))
    text = "".join(passed)
    assert_unseen(text)
    assert text.replace("[redacted]", KEY) == data.decode().rstrip("\n")


def test_line_without_secrets_is_passed_on_as_it_is() -> None:
    data = b"first\r\n\n\xff\xfe\nlast"
    assert pumped(data, redactor=knowing(KEY)) == pumped(data, redactor=None)
    assert pumped(data, redactor=None)[0] == ["first", "", "\ufffd\ufffd", "last"]


def test_without_secrets_a_long_line_is_cut_at_once() -> None:
    passed, _ = pumped(b"x" * 10_000, redactor=Redactor())
    assert "".join(passed) == "x" * 10_000
    assert shows("".join(passed)) is None
