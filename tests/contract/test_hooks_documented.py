"""docs/reference/hooks.md has a chapter for every hook: its exact signature and a table that leaves no question."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any

import pytest

from bridge_core import _models, hookspecs
from bridge_core._context import CallContext, ObjectStore, Session
from contract.sources import ROOT
from contract.tables import cells_of

PAGE = ROOT / "docs/reference/hooks.md"
HOOKS: dict[str, Callable[..., Any]] = {
    name: value for name, value in vars(hookspecs).items() if hasattr(value, "bridge_spec")
}
FIELDS = ["called by", "when", "how often", "thread", "returns", "None", "failure"]
"""The house rule: a hook says who calls it, when, how often, what None means and what a failure does."""
MEMBERS = {
    "FrameworkInfo": list(inspect.signature(_models.FrameworkInfo).parameters),
    "CallContext": [
        *(name.removeprefix("_") for name in inspect.signature(CallContext).parameters),
        "remaining",
        "check",
    ],
    "Session": [name for name in vars(Session) if isinstance(vars(Session)[name], property)],
    "ObjectStore": [name for name, value in vars(ObjectStore).items() if inspect.isfunction(value) and name[0] != "_"],
    "register": list(inspect.signature(hookspecs.Register.__call__).parameters)[1:],
}


def heading(name: str) -> str:
    return f"## {name}({', '.join(inspect.signature(HOOKS[name]).parameters)})"


def chapter(title: str) -> str:
    """Return what stands between a heading and the next."""
    _, _, rest = PAGE.read_text("utf-8").partition(f"\n{title}\n")
    return rest.partition("\n## ")[0]


def test_there_are_hooks() -> None:
    assert "bridge_framework_info" in HOOKS


@pytest.mark.parametrize("name", sorted(HOOKS))
def test_hook_has_a_chapter_headed_by_its_signature(name: str) -> None:
    assert PAGE.read_text("utf-8").splitlines().count(heading(name)) == 1, f"missing: {heading(name)}"


def test_no_chapter_is_about_a_hook_that_does_not_exist() -> None:
    chapters = {line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("## bridge_")}
    assert chapters == {heading(name) for name in HOOKS}


@pytest.mark.parametrize("name", sorted(HOOKS))
def test_hook_says_who_calls_it_when_how_often_what_none_means_and_what_a_failure_does(name: str) -> None:
    table = [cells for cells in cells_of(chapter(heading(name))) if cells[0] in FIELDS]
    assert [cells[0] for cells in table] == FIELDS
    assert not [cells[0] for cells in table if len(cells[1]) < 2]


@pytest.mark.parametrize("name", sorted(HOOKS))
def test_hook_says_in_its_docstring_when_it_is_called_and_what_raising_does(name: str) -> None:
    text = inspect.getdoc(HOOKS[name]) or ""
    assert re.search(r"\bCalled\b", text), "who calls it, when?"
    assert re.search(r"\bexception\b|\bRaise\b", text), "what does a failure do?"


@pytest.mark.parametrize("title", sorted(MEMBERS))
def test_what_plugins_are_given_and_give_is_documented_member_by_member(title: str) -> None:
    names = set(re.findall(r"`(\w+)[`(]", " ".join(cells[0] for cells in cells_of(chapter(f"## {title}"), raw=True))))
    assert not set(MEMBERS[title]) - names, f"hooks.md, chapter {title}"


@pytest.mark.parametrize("name", sorted(HOOKS))
def test_hook_parameters_have_no_defaults(name: str) -> None:
    defaults = [parameter.default for parameter in inspect.signature(HOOKS[name]).parameters.values()]
    assert set(defaults) <= {inspect.Parameter.empty}


@pytest.mark.parametrize("name", sorted(HOOKS))
def test_hook_is_not_historic(name: str) -> None:
    # pluggy keeps the arguments of historic hooks for ever.
    assert not getattr(HOOKS[name], "bridge_spec")["historic"]  # noqa: B009 - pluggy adds it, no type knows it
