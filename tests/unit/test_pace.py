"""What may be held back: only what is followed by a step that is expected to be quick, and never for long."""

from __future__ import annotations

from bridge_core.worker._pace import QUICK, STREAK, Pace
from bridge_core.worker._stats import Stats


def pace() -> tuple[Pace, list[None]]:
    woken: list[None] = []
    return Pace(lambda: woken.append(None)), woken


def steps(pace: Pace, count: int, seconds: float) -> list[bool]:
    pace.begin(0.0)
    return [pace.step(seconds * number) for number in range(1, count + 1)]


def test_chunks_are_held_back_after_so_many_quick_ones_and_no_more_after_a_slow_one() -> None:
    one, _ = pace()
    assert steps(one, STREAK + 1, QUICK / 2) == [False] * (STREAK - 1) + [True, True]
    assert one.streaming
    assert not one.step(QUICK * STREAK * 2)
    assert not one.streaming


def test_slow_chunks_are_never_held_back() -> None:
    one, _ = pace()
    assert not any(steps(one, 3 * STREAK, QUICK * 1.5))


def test_new_stream_has_to_prove_itself_again() -> None:
    one, _ = pace()
    steps(one, STREAK, QUICK / 2)
    one.end()
    assert not one.streaming
    assert not steps(one, 1, QUICK / 2)[0]


def test_watcher_that_waits_for_input_is_told_once_that_it_has_to_look() -> None:
    one, woken = pace()
    one.led = True
    steps(one, 2 * STREAK, QUICK / 2)
    assert woken == [None]


def test_what_is_held_is_small_and_not_old() -> None:
    one, _ = pace()
    assert not one.holds(10.0, 10), "the first after a while is written"
    assert one.holds(10.0001, 10)
    assert not one.holds(10.0002, 1 << 20)
    assert one.holds(10.0003, 10)
    assert not one.holds(11.0, 10)


def test_nothing_is_held_when_nobody_looks_any_more() -> None:
    one, _ = pace()
    one.holds(10.0, 10)
    one.over = True
    assert not one.holds(10.00001, 10)


def test_operation_is_expected_to_be_quick_after_so_many_quick_calls_in_a_row() -> None:
    stats = Stats()
    assert not stats.expects_quick("probe.echo")
    for _ in range(STREAK - 1):
        stats.answered("probe.echo", failed=False, seconds=QUICK / 2)
    assert not stats.expects_quick("probe.echo")
    stats.answered("probe.echo", failed=False, seconds=QUICK / 2)
    assert stats.expects_quick("probe.echo")
    assert not stats.expects_quick("probe.other")
    stats.answered("probe.echo", failed=False, seconds=QUICK * 2)
    assert not stats.expects_quick("probe.echo")
