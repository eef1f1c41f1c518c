"""docs/reference/capabilities.md says for each capability whether it is done, and names the test that proves it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from contract.markers import marked
from contract.sources import ROOT, suite
from contract.tables import rows

PAGE = ROOT / "docs/reference/capabilities.md"
IDS = Path(__file__).with_name("capability_ids.txt").read_text("utf-8").split()
STATES = {"done", "partly", "not yet"}
TEST_FILE = re.compile(r"tests/[\w/.-]+\.py")


def listed() -> dict[str, list[list[str]]]:
    """Return the rows of the page by capability id."""
    found: dict[str, list[list[str]]] = {}
    for cells in rows(PAGE):
        if re.fullmatch(r"[A-Z]\d\d", cells[0]):
            found.setdefault(cells[0], []).append(cells)
    return found


def proven(id: str, cells: list[str]) -> bool:
    """Whether a row names a test file, and every file that it names exists and carries the row's marker."""
    files = [ROOT / name for name in TEST_FILE.findall(" ".join(cells))]
    carried = [marked(ast.parse(file.read_text("utf-8")), "capability") if file.is_file() else set() for file in files]
    return bool(files) and all(id in ids for ids in carried)


def test_page_lists_every_capability_once_and_no_other() -> None:
    assert {name: len(found) for name, found in listed().items()} == dict.fromkeys(IDS, 1)


def test_every_row_says_its_state() -> None:
    assert not [found for found in listed().values() if len(STATES & {cell.lower() for cell in found[0]}) != 1]


def test_row_that_is_done_names_the_test_files_that_carry_its_marker() -> None:
    done = {name: found[0] for name, found in listed().items() if "done" in {cell.lower() for cell in found[0]}}
    assert done, "nothing is done, which is not so"
    assert not [cells for name, cells in done.items() if not proven(name, cells)]


def test_markers_name_capabilities_that_exist() -> None:
    unknown = {source.name: wrong for source in suite() if (wrong := marked(source.tree, "capability") - set(IDS))}
    assert not unknown
