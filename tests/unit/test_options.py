"""The worker's flags are read without a parser library, and what is not ours is left alone."""

from __future__ import annotations

import pytest

from bridge_core.worker._options import Options, UsageError

pytestmark = [pytest.mark.capability("A15")]


def parse(*arguments: str, **environ: str) -> Options:
    return Options.parse(arguments, environ)


def test_flags_are_understood_in_both_spellings() -> None:
    expected = Options(frameworks=("dspy", "probe"), mode="pool-worker", worker_id="w-1", codec="auto")
    assert parse("--bridge", "a.py:B").bridge == "a.py:B"
    assert expected == parse(
        *"--framework dspy --mode pool-worker --framework=probe --worker-id=w-1 --codec auto --framework dspy".split()
    )
    assert (parse("--strict").strict, parse("--debug").debug) == (True, True)


def test_last_of_several_values_counts() -> None:
    assert parse("--mode", "a", "--mode=b").mode == "b"


@pytest.mark.sentence("P-65")
@pytest.mark.parametrize(
    ("arguments", "ignored"),
    [
        ("--pool-size 4 --strict", ("--pool-size", "4")),
        ("--verbose --strict", ("--verbose",)),
        ("--level=3 --strict", ("--level=3",)),
        ("stray words --strict", ("stray", "words")),
        ("--strict -x", ("-x",)),
        ("--strict -x y", ("-x", "y")),
    ],
)
def test_what_is_unknown_is_set_aside_with_its_value(arguments: str, ignored: tuple[str, ...]) -> None:
    options = parse(*arguments.split())
    assert options.ignored == ignored
    assert options.strict


@pytest.mark.parametrize(
    "arguments", ["--framework", "--strict --mode", "--codec xml", "--config", "--config=a --config b"]
)
def test_what_cannot_be_meant_is_refused(arguments: str) -> None:
    with pytest.raises(UsageError):
        parse(*arguments.split())


def test_plugin_lists_come_from_the_environment() -> None:
    options = parse(BRIDGE_PLUGINS=" dspy, probe,,", BRIDGE_DISABLED_PLUGINS="probe")
    assert (options.allow, options.block) == (frozenset(["dspy", "probe"]), frozenset(["probe"]))
    assert (parse().allow, parse().block) == (None, frozenset())
    assert parse(BRIDGE_PLUGINS="").allow == frozenset()
