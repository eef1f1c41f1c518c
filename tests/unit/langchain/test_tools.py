"""The worker's own tools: right, and harmless whatever a model asks of them."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge_langchain._tools import TOOLS, ToolName, calculator, current_time


def test_every_tool_that_can_be_named_exists() -> None:
    assert set(get_args(ToolName)) == set(TOOLS)


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        ("(2 + 3) * 4", "20"),
        (" 7 // 2 - -1 ", "4"),
        ("7 % 4 + 1 / 4", "3.25"),
        ("2 ** 10", "1024"),
        ("+1.5e3", "1500.0"),
        ("2 ** -1", "0.5"),
        ("2 ** 2048 % 10", "6"),
    ],
)
def test_arithmetic_is_right(expression: str, result: str) -> None:
    assert calculator(expression) == result


@pytest.mark.parametrize(
    "expression",
    [
        "", "1 +", "1 / 0", "x", "__import__('os')", "abs(1)", "True", "'a' * 9", "1j", "1 if 1 else 2", "[1]", "1 < 2",
        "2 ** 4097", "9 ** 9 ** 9", "2.0 ** 5000", "(-1) ** 0.5", "10 ** 1200 * 10 ** 1200", "1" * 201, "1 and 2", "~1",
        "1" + "0" * 190 + "**" + "9" * 6, "1 << 9", "1e308 * 10", "1e999 - 1e999", "1e400 // 1", "x := 1", "\0",
        "(" * 199,
    ],
)  # fmt: skip
def test_anything_else_is_an_error_for_the_model(expression: str) -> None:
    assert calculator(expression).startswith("error: ")


@given(st.text("0123456789.+-*/%() ", max_size=60))
def test_no_text_makes_the_calculator_fail(expression: str) -> None:
    assert calculator(expression)


def test_time_is_the_current_one_in_utc() -> None:
    told = datetime.fromisoformat(current_time())
    assert told.utcoffset() == timedelta(0)
    assert abs(datetime.now(timezone.utc) - told) < timedelta(hours=1)
