"""docs/reference/hooks.md has a chapter for every hook, headed by its exact signature."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest

from bridge_core import hookspecs
from contract.sources import ROOT

PAGE = ROOT / "docs/reference/hooks.md"
HOOKS: dict[str, Callable[..., Any]] = {
    name: value for name, value in vars(hookspecs).items() if hasattr(value, "bridge_spec")
}


def heading(name: str) -> str:
    return f"## {name}({', '.join(inspect.signature(HOOKS[name]).parameters)})"


def test_there_are_hooks() -> None:
    assert "bridge_framework_info" in HOOKS


@pytest.mark.parametrize("name", sorted(HOOKS))
def test_hook_has_a_chapter_headed_by_its_signature(name: str) -> None:
    assert PAGE.read_text("utf-8").splitlines().count(heading(name)) == 1, f"missing: {heading(name)}"


def test_no_chapter_is_about_a_hook_that_does_not_exist() -> None:
    chapters = {line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("## bridge_")}
    assert chapters == {heading(name) for name in HOOKS}


@pytest.mark.parametrize("name", sorted(HOOKS))
def test_hook_says_when_it_is_called(name: str) -> None:
    assert HOOKS[name].__doc__


@pytest.mark.parametrize("name", sorted(HOOKS))
def test_hook_parameters_have_no_defaults(name: str) -> None:
    defaults = [parameter.default for parameter in inspect.signature(HOOKS[name]).parameters.values()]
    assert set(defaults) <= {inspect.Parameter.empty}


@pytest.mark.parametrize("name", sorted(HOOKS))
def test_hook_is_not_historic(name: str) -> None:
    # pluggy keeps the arguments of historic hooks for ever.
    assert not getattr(HOOKS[name], "bridge_spec")["historic"]  # noqa: B009 - pluggy adds it, no type knows it
