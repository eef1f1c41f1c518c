"""Markers count only where they stand on tests that exist and are run."""

from __future__ import annotations

import ast
import textwrap

import pytest

from contract.markers import marked, stray
from contract.sources import Source, suite

PAGE = """
import pytest
{module}

@pytest.mark.capability("A01")
def {name}(): ...

{klass}
"""


def parsed(*, module: str = "", name: str = "test_it", klass: str = "") -> ast.Module:
    return ast.parse(PAGE.format(module=module, name=name, klass=textwrap.dedent(klass)))


def test_marker_of_a_test_function_counts() -> None:
    assert marked(parsed(), "capability") == {"A01"}
    assert marked(parsed(), "sentence") == set()


def test_marker_of_a_module_counts_for_its_tests() -> None:
    module = 'pytestmark = [pytest.mark.capability("A02", "A03"), pytest.mark.sentence("P-1")]'
    assert marked(parsed(module=module), "capability") == {"A01", "A02", "A03"}
    assert marked(parsed(module=module), "sentence") == {"P-1"}


@pytest.mark.parametrize("body", ["def test_it(self): ...", "pass"], ids=["own tests", "inherited tests"])
def test_marker_of_a_class_counts_if_it_has_tests(body: str) -> None:
    bases = "" if "def" in body else "(Suite)"
    klass = f'@pytest.mark.capability("A04")\nclass TestThem{bases}:\n    {body}'
    assert marked(parsed(klass=klass), "capability") == {"A01", "A04"}


@pytest.mark.parametrize(
    ("tree", "line"),
    [
        (parsed(name="helper"), 5),
        (parsed(name="helper", module='pytestmark = [pytest.mark.capability("A02")]'), 3),
        (parsed(klass='@pytest.mark.capability("A04")\nclass TestNothing:\n    x = 1'), 8),
        (parsed(klass='@pytest.mark.capability("A04")\n@pytest.mark.skip(reason="x")\ndef test_b(): ...'), 8),
        (parsed(klass='@pytest.mark.xfail(reason="x")\n@pytest.mark.capability("A04")\ndef test_b(): ...'), 9),
        (parsed(klass='# "A04"\nx = pytest.mark.capability("A04")'), 9),
    ],
    ids=["no test", "module without tests", "class without tests", "skipped", "expected to fail", "assigned"],
)
def test_marker_of_anything_else_is_astray(tree: ast.Module, line: int) -> None:
    assert line in stray(tree, "capability")
    assert not marked(tree, "capability") - {"A01"}


@pytest.mark.parametrize("source", suite(), ids=lambda source: source.name)
def test_no_marker_of_ours_is_astray(source: Source) -> None:
    assert {marker: stray(source.tree, marker) for marker in ("capability", "sentence")} == {
        "capability": [],
        "sentence": [],
    }
