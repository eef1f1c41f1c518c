"""docs/reference/capabilities.md says for each capability whether it is done, and names the tests that prove it."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

from contract.markers import marked
from contract.sources import ROOT, suite
from contract.tables import rows

PAGE = ROOT / "docs/reference/capabilities.md"
IDS = Path(__file__).with_name("capability_ids.txt").read_text("utf-8").split()
STATES = ["done", "partly", "not yet"]
TEST_FILE = re.compile(r"tests/[\w/.-]+\.py")


@cache
def listed() -> dict[str, list[list[str]]]:
    """Return the rows of the page by capability id."""
    found: dict[str, list[list[str]]] = {}
    for cells in rows(PAGE):
        if re.fullmatch(r"[A-Z]\d\d", cells[0]):
            found.setdefault(cells[0], []).append(cells)
    return found


@cache
def proofs() -> dict[str, set[str]]:
    """Return the test files by the capability that tests in them are marked with."""
    found: dict[str, set[str]] = {}
    for source in suite():
        for name in marked(source.tree, "capability"):
            found.setdefault(name, set()).add(source.name)
    return found


def states() -> dict[str, str]:
    return {name: found[0][2].lower() for name, found in listed().items()}


def test_page_lists_every_capability_once_and_no_other() -> None:
    assert {name: len(found) for name, found in listed().items()} == dict.fromkeys(IDS, 1)


def test_every_row_says_its_state() -> None:
    assert set(states().values()) <= set(STATES)


@pytest.mark.parametrize("name", IDS)
def test_row_names_the_files_whose_tests_carry_its_marker(name: str) -> None:
    named = set(TEST_FILE.findall(listed()[name][0][3]))
    assert named == proofs().get(name, set()), f"{PAGE.name}, {name}: name these files, no others"


def test_row_that_is_done_is_proven_and_one_that_is_not_begun_is_not() -> None:
    assert not [name for name, state in states().items() if state == "done" and name not in proofs()]
    assert not [name for name, state in states().items() if state == "not yet" and name in proofs()]


def test_page_counts_its_rows() -> None:
    (sentence,) = re.findall(r"Of (\d+) capabilities (\d+) are done, (\d+) partly, (\d+) not yet", one_line(PAGE))
    counts = [list(states().values()).count(state) for state in STATES]
    assert [int(number) for number in sentence] == [sum(counts), *counts]


def one_line(page: Path) -> str:
    return " ".join(page.read_text("utf-8").split())


def test_markers_name_capabilities_that_exist() -> None:
    assert not set(proofs()) - set(IDS)
