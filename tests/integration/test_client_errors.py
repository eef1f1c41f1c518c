"""An error that a worker answers with is an exception again, with all that it carried."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from bridges import WIRES, opened

from bridge_core import Bridge, BridgeError, errors


@pytest.fixture(scope="module", params=WIRES[:2], ids="+".join)
def bridge(request: pytest.FixtureRequest) -> Iterator[Bridge]:
    with opened(request.param) as running:
        yield running


def told(error: BridgeError) -> tuple[Any, ...]:
    """Return what an error says that does not depend on the very request."""
    return error.reason, error.code, error.retryable, error.details.keys()


def failure(bridge: Bridge, operation: str, **arguments: Any) -> BridgeError:
    """Return the exception of a call, which is the same by whatever verb it is made."""
    with pytest.raises(BridgeError) as raised:
        bridge.run(operation, arguments)
    others = [bridge.submit(operation, arguments).exception(), bridge.batch([(operation, arguments)])[0]]
    for other in others:
        assert type(other) is type(raised.value)
        assert told(other) == told(raised.value)
    return raised.value


@pytest.mark.parametrize(
    ("operation", "arguments", "kind", "code"),
    [
        ("probe.echo", {"other": 1}, errors.InvalidArgumentsError, "invalid_argument"),
        ("probe.nothing", {}, errors.UnknownOperationError, "unimplemented"),
        ("probe.get", {"id": "nothing"}, errors.RefNotFoundError, "not_found"),
        ("probe.fail", {"how": "value"}, errors.HandlerRaisedError, "unknown"),
        ("probe.fail", {"how": "exit"}, errors.HandlerRaisedError, "unknown"),
        ("probe.fail", {"how": "interrupt"}, errors.HandlerRaisedError, "unknown"),
        ("probe.fail", {"how": "live_details"}, errors.SerializeFailedError, "internal"),
        ("probe.large", {"size": 1 << 26}, errors.ResultTooLargeError, "resource_exhausted"),
    ],
)
def test_error_is_of_its_reasons_class(
    bridge: Bridge, operation: str, arguments: dict[str, Any], kind: type[BridgeError], code: str
) -> None:
    error = failure(bridge, operation, **arguments)
    assert type(error) is kind
    assert (error.reason, error.code, error.retryable) == (kind.reason, code, kind.retryable)
    assert error.message == str(error) != ""


def test_error_keeps_its_details(bridge: Bridge) -> None:
    assert failure(bridge, "probe.fail", how="value").details == {
        "exception": "ValueError",
        "text": "the value is wrong",
    }
    assert failure(bridge, "probe.echo", other=1).details["path"]


@pytest.mark.capability("C03")
def test_reason_that_is_not_the_cores_is_a_remote_error_that_keeps_everything(bridge: Bridge) -> None:
    error = failure(bridge, "probe.fail", how="typed")
    assert type(error) is errors.RemoteError
    assert (error.reason, error.code, error.retryable) == ("PROBE_BROKEN", "unavailable", True)
    assert (error.message, error.details) == ("the probe is broken as ordered", {"part": "lens"})
    assert errors.RemoteError.reason != "PROBE_BROKEN"


def test_error_is_raised_anew_for_each_call(bridge: Bridge) -> None:
    raised = []
    for _ in range(2):
        with pytest.raises(BridgeError) as caught:
            bridge.run("probe.fail", how="value")
        raised.append(caught.value)
    assert raised[0] is not raised[1]
