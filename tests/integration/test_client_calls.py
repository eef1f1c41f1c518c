"""What a Python program calls is run by the worker, over every wire."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from typing import Any

import pytest
from bridges import WIRES, opened

from bridge_core import Bridge, BridgeError
from bridge_core.errors import (
    FrameTooLargeError,
    FrameworkNotFoundError,
    InvalidArgumentsError,
    UnknownOperationError,
)

LOOP: list[Any] = []
LOOP.append(LOOP)


@pytest.fixture(scope="module", params=WIRES, ids="+".join)
def bridge(request: pytest.FixtureRequest) -> Iterator[Bridge]:
    with opened(request.param) as running:
        yield running


@pytest.fixture(scope="module", params=[wire for wire in WIRES if wire[1] == "msgpack"], ids="+".join)
def binary(request: pytest.FixtureRequest) -> Iterator[Bridge]:
    with opened(request.param) as running:
        yield running


@pytest.mark.parametrize(
    "value",
    [None, True, 0, -1, 2**63, 1.5, "", "text", "\u00e9\u2713\U0001f600\0", [], [1, [2, {}]], {"a": {"b": [None]}}],
    ids=repr,
)
def test_value_comes_back_as_it_was(bridge: Bridge, value: Any) -> None:
    assert bridge.run("probe.echo", value=value) == value


@pytest.mark.parametrize("operation", ["probe.echo", "probe.echo_thread", "probe.echo_async"])
def test_operation_may_run_anywhere(bridge: Bridge, operation: str) -> None:
    assert bridge.run(operation, value=1) == 1


def test_arguments_are_keywords_or_a_mapping_or_both(bridge: Bridge) -> None:
    expected = {"id": "x"}
    with bridge.session() as session:
        assert session.run("probe.put", value=1, id="x") == expected
    with bridge.session() as session:
        assert session.run("probe.put", {"value": 1, "id": "x"}) == expected
    with bridge.session() as session:
        assert session.run("probe.put", {"value": 1}, id="x") == expected


def test_mapping_may_use_names_that_are_ours(bridge: Bridge) -> None:
    with pytest.raises(InvalidArgumentsError) as raised:
        bridge.run(
            "probe.echo", {"timeout": 1, "value": 1}
        )  # the worker refuses it: the operation has no such argument
    assert raised.value.reason == "INVALID_ARGUMENTS"


def test_argument_given_twice_is_refused(bridge: Bridge) -> None:
    before = bridge.run("ping")["requests_handled"]
    with pytest.raises(InvalidArgumentsError):
        bridge.run("probe.echo", {"value": 1}, value=1)
    assert bridge.run("ping")["requests_handled"] == before + 1


def test_bare_name_is_the_default_frameworks(bridge: Bridge) -> None:
    assert bridge.run("echo", value=1) == bridge.run("probe.echo", value=1)
    assert bridge.run("ping")["framework"] == "probe"


def test_framework_that_the_bridge_does_not_have_is_refused(bridge: Bridge) -> None:
    for ask in (bridge.run, bridge.submit, bridge.stream):
        with pytest.raises(FrameworkNotFoundError):
            ask("nobody.echo", value=1)
    with pytest.raises(FrameworkNotFoundError):
        bridge.configure("nobody")
    with pytest.raises(FrameworkNotFoundError):
        bridge.info("nobody")


@pytest.mark.parametrize("operation", ["probe.nothing", "nothing", "probe.", ".", ""])
def test_operation_that_does_not_exist_is_refused_with_a_reason(bridge: Bridge, operation: str) -> None:
    with pytest.raises(BridgeError) as raised:
        bridge.run(operation)
    assert isinstance(raised.value, (UnknownOperationError, FrameworkNotFoundError))


def test_batch_returns_results_in_order_and_errors_in_their_place(bridge: Bridge) -> None:
    calls: list[tuple[str, dict[str, Any]]] = [("probe.echo", {"value": number}) for number in range(200)]
    calls[50] = ("probe.fail", {"how": "value"})
    calls[51] = ("nobody.echo", {"value": 1})
    calls[52] = ("probe.echo", {"value": LOOP})
    outcomes = bridge.batch(calls)
    reasons = {index: one.reason for index, one in enumerate(outcomes) if isinstance(one, BridgeError)}
    assert reasons == {50: "HANDLER_RAISED", 51: "FRAMEWORK_NOT_FOUND", 52: "INVALID_ARGUMENTS"}
    assert [one for one in outcomes if not isinstance(one, BridgeError)] == [*range(50), *range(53, 200)]
    assert bridge.batch([]) == []
    assert bridge.batch(iter([("echo", {"value": 1})])) == [1]


def test_configure_reaches_the_framework_and_hides_secrets(bridge: Bridge) -> None:
    with bridge.session() as session:
        answer = session.configure("probe", {"secret": "s"}, mode="fast")
        assert answer["config"] == {"mode": "fast", "secret": "***"}
        assert session.run("probe.due")["settings"] == {"mode": "fast", "secret": "s"}


def test_info_says_what_the_worker_can_do(bridge: Bridge) -> None:
    for info in (bridge.info(), bridge.info("probe")):
        assert info["framework"] == "probe"
        assert "probe.echo" in info["supported_operations"]


@pytest.mark.parametrize(
    "value",
    [object(), (1, 2), {1, 2}, {1: 2}, 2**70, "half \ud83d", {"$type": "x"}, [{"deep": object()}], LOOP, int],
    ids=["object", "tuple", "set", "keys", "large", "surrogate", "tag", "nested", "cycle", "class"],
)
def test_argument_that_is_no_json_value_is_refused_and_nothing_is_sent(bridge: Bridge, value: Any) -> None:
    before = bridge.run("ping")["requests_handled"]
    for ask in (bridge.run, bridge.submit, bridge.stream):
        with pytest.raises(InvalidArgumentsError):
            ask("probe.echo", value=value)
    assert bridge.run("ping")["requests_handled"] == before + 1


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_bytes_travel_both_ways_as_bytes(binary: Bridge, kind: Any) -> None:
    data = bytes(range(256)) * 1000
    assert binary.run("probe.echo", value={"parts": [kind(data), kind(b"")]}) == {"parts": [data, b""]}
    assert binary.run("probe.result", kind="bytes") == b"\x00\xff"


def test_view_of_numbers_travels_as_its_bytes(binary: Bridge) -> None:
    numbers = array("d", [1.0, 2.5])
    assert binary.run("probe.echo", value=memoryview(numbers)) == numbers.tobytes()
    assert binary.run("probe.echo", value=memoryview(b"abcdef")[::2]) == b"ace"


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_bytes_are_refused_where_the_codec_has_none(kind: Any) -> None:
    with opened(("stdio", "json")) as bridge, pytest.raises(InvalidArgumentsError):
        bridge.run("probe.echo", value=kind(b"x"))


def test_large_text_comes_back_whole(bridge: Bridge) -> None:
    text = "\u00e9x" * 500_000
    assert bridge.run("probe.echo", value=text) == text
    assert bridge.submit("probe.echo_thread", value=text).result() == text


def test_arguments_larger_than_a_frame_are_refused_and_nothing_is_sent(bridge: Bridge) -> None:
    before = bridge.run("ping")["requests_handled"]
    text = "x" * (64 * 1024 * 1024)
    with pytest.raises(FrameTooLargeError):
        bridge.run("probe.echo", value=text)
    assert bridge.run("ping")["requests_handled"] == before + 1


def test_result_that_cannot_be_sent_is_an_error_and_the_worker_lives(bridge: Bridge) -> None:
    pids = bridge.pids()
    for kind in ("object", "cycle", "bad"):
        with pytest.raises(BridgeError) as raised:
            bridge.run("probe.result", kind=kind)
        assert raised.value.reason in ("SERIALIZE_FAILED", "VALUE_TOO_COMPLEX")
    assert bridge.run("echo", value=1) == 1
    assert bridge.pids() == pids
