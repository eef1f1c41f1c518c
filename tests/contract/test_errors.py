"""Codes are a closed set, reasons are unique, and docs/reference/errors.md lists each of them exactly once."""

from __future__ import annotations

import re
from typing import get_args

import pytest

from bridge_core import errors
from contract.sources import ROOT
from contract.tables import rows

PAGE = ROOT / "docs/reference/errors.md"
GRPC = (
    "aborted already_exists cancelled data_loss deadline_exceeded failed_precondition internal invalid_argument "
    "not_found out_of_range permission_denied resource_exhausted unauthenticated unavailable unimplemented unknown"
).split()
UPPER_SNAKE = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)*")
# Plugins may add reasons of their own while other tests run; the page is about the core's.
REASONS = sorted(reason for reason, cls in errors.REASONS.items() if cls.__module__.startswith("bridge_core."))


def documented() -> list[tuple[str, str, str]]:
    """Return (reason, code, retryable) of every row of the page that begins with a reason."""
    return [(cells[0], cells[1], cells[2].lower()) for cells in rows(PAGE) if UPPER_SNAKE.fullmatch(cells[0])]


def test_codes_are_the_grpc_status_names() -> None:
    assert sorted(get_args(errors.Code)) == GRPC


@pytest.mark.parametrize("reason", REASONS)
def test_reason_belongs_to_one_class_with_a_known_code(reason: str) -> None:
    cls = errors.REASONS[reason]
    assert issubclass(cls, errors.BridgeError)
    assert cls.reason == reason
    assert UPPER_SNAKE.fullmatch(reason)
    assert cls.code in GRPC
    assert cls.__doc__, "a reason without explanation helps nobody"


def test_error_table_has_one_row_per_reason_that_says_what_the_class_says() -> None:
    classes = [errors.REASONS[reason] for reason in REASONS]
    assert sorted(documented()) == [(cls.reason, cls.code, "yes" if cls.retryable else "no") for cls in classes]
