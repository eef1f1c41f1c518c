"""Errors: one class a reason, a closed set of codes, and nothing live in them."""

from __future__ import annotations

import pytest

from bridge_core import BridgeError, errors

pytestmark = [pytest.mark.capability("A04", "C03")]


def test_reason_is_the_class_name_in_the_wires_spelling() -> None:
    assert (errors.PoolBusyError.reason, errors.PoolBusyError.code) == ("POOL_BUSY", "resource_exhausted")
    assert errors.by_reason("POOL_BUSY") is errors.PoolBusyError


def test_every_reason_has_a_code_of_the_closed_set() -> None:
    assert {kind.code for kind in errors.REASONS.values()} <= errors.CODES
    assert all(kind.reason == reason for reason, kind in errors.REASONS.items())


def test_reason_that_is_not_known_here_is_a_remote_error() -> None:
    assert errors.by_reason("FROM_THE_FUTURE") is errors.RemoteError
    assert "REMOTE" not in errors.REASONS


def test_error_carries_message_details_and_whether_to_retry() -> None:
    error = errors.RefNotFoundError("no such thing", id="x", session="s")
    assert (str(error), error.message, error.details) == ("no such thing", "no such thing", {"id": "x", "session": "s"})
    assert not error.retryable
    assert errors.PoolBusyError("full").retryable
    assert not errors.PoolBusyError("full", retryable=False).retryable


def test_class_of_a_plugin_has_its_own_reason_and_stays_out_of_the_table() -> None:
    class ProbeLostError(BridgeError, code="data_loss", reason="PROBE_LOST", retryable=True):
        """The probe is lost."""

    error = ProbeLostError("gone")
    assert (error.code, error.reason, error.retryable) == ("data_loss", "PROBE_LOST", True)
    assert "PROBE_LOST" not in errors.REASONS


def test_subclass_without_a_code_inherits_it() -> None:
    class StillBusyError(errors.PoolBusyError):
        """The pool is still busy."""

    assert (StillBusyError.code, StillBusyError.reason) == ("resource_exhausted", "STILL_BUSY")


def test_code_outside_of_the_closed_set_is_refused() -> None:
    with pytest.raises(ValueError):
        type("OddError", (BridgeError,), {}, code="teapot")


class SilentError(Exception):
    """An exception whose text ends the process, if it can."""

    def __str__(self) -> str:
        raise SystemExit(1)


@pytest.mark.parametrize(
    ("raised", "exception", "text"),
    [
        (ValueError("wrong"), "ValueError", "wrong"),
        (KeyboardInterrupt(), "KeyboardInterrupt", ""),
        (SilentError(), f"{__name__}.SilentError", "its text cannot be had: SystemExit"),
        (ValueError("x" * 5000), "ValueError", "x" * 2000),
    ],
)
def test_foreign_exception_is_described_by_type_and_text(raised: BaseException, exception: str, text: str) -> None:
    error = errors.HandlerRaisedError.wrapping(raised)
    assert error.details == {"exception": exception, "text": text}
    assert error.message == (f"{exception}: {text}" if text else exception)
    assert error.__cause__ is None
