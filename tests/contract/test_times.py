"""What is promised about the time that an ending takes: tests never measure it, so the times themselves must add up."""

from __future__ import annotations

import pytest

from bridge_core.worker import _grace, _guardian

SLACK = 0.05
"""For the guardian's own sweep, which needs a few milliseconds."""


@pytest.mark.capability("A05")
@pytest.mark.sentence("P-62")
def test_worker_whose_input_has_ended_is_gone_within_a_second_whatever_it_does() -> None:
    worker = _grace.ALONE + _grace.LAST_WORDS + _grace.HARD
    assert worker < _guardian._WHEN_ALONE <= 1.0 - SLACK


def test_guardian_gives_a_worker_that_ends_in_order_the_time_to_do_so() -> None:
    worker = _grace.GRACE + _grace.LAST_WORDS + _grace.HARD
    assert worker < _guardian._WHEN_TOLD
