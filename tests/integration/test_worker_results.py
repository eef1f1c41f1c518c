"""Results of every kind: sent as what they are, or refused with the place that cannot be sent; never changed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from peer import Peer

pytestmark = [pytest.mark.capability("A16"), pytest.mark.sentence("P-46", "P-47")]


@pytest.fixture(scope="module")
def peer() -> Iterator[Peer]:
    with Peer() as running:
        yield running


def tag(name: str, **fields: Any) -> dict[str, Any]:
    return {"$type": name, **fields}


SENT = {
    "none": None,
    "nan": tag("float", value="nan"),
    "inf": tag("float", value="inf"),
    "-inf": tag("float", value="-inf"),
    "floats": [0.5, tag("float", value="nan"), 1.5],
    "big": tag("int", value=str(2**64)),
    "bigger": [tag("int", value=str(10**30)), tag("int", value=str(-(2**63) - 1))],
    "widest": [2**64 - 1, -(2**63)],
    "date": tag("date", value="2024-02-29"),
    "bytes": tag("bytes", base64="AP8="),
    "bytearray": tag("bytes", base64="YWI="),
    "tuple": tag("tuple", items=[1, tag("tuple", items=[2, 3])]),
    "set": tag("set", items=[1, 2, 3]),
    "frozenset": tag("frozenset", items=["a", "b"]),
    "numbers": tag("dict", pairs=[[1, "one"], [None, "none"], [tag("tuple", items=[1, 2]), "pair"]]),
    "dollar": tag("dict", pairs=[["$type", "tuple"], ["items", []]]),
    "point": tag(
        "model",
        **{"class": "probe.Point"},
        fields={"x": [tag("model", **{"class": "probe.Point"}, fields={"x": 1}), tag("tuple", items=[2])]},
    ),
}


@pytest.mark.capability("B08")
@pytest.mark.sentence("P-48", "P-49", "P-50", "P-51")
@pytest.mark.parametrize("kind", SENT)
def test_value_is_sent_as_what_it_is(peer: Peer, kind: str) -> None:
    assert peer.result("probe.result", {"kind": kind}) == SENT[kind]


@pytest.mark.sentence("P-76")
def test_integer_that_a_float_cannot_hold_is_tagged_for_a_peer_that_has_only_floats() -> None:
    exact, inexact = [2**53 - 1, 1 - 2**53, 7], [2**53, -(2**53), 2**64 - 1]
    tagged = [tag("int", value=str(number)) for number in inexact]
    with Peer() as peer:
        assert peer.result("probe.echo", {"value": exact + inexact}) == exact + inexact
        peer.result("hello", {"safe_integers": True})
        assert peer.result("probe.echo", {"value": exact + inexact}, id=2**53) == exact + tagged
        peer.result("hello")
        assert peer.result("probe.echo", {"value": inexact}) == inexact


UNSENDABLE = {
    "object": "$",
    "nested_object": "$.rows[1].cell",
    "keyed_object": "$.7.x",
    "ordered": "$",
    "bad": "$[0]",
    "function": "$",
    "class": "$",
    "careless": None,
    "surrogate": None,
}


@pytest.mark.sentence("P-28")
@pytest.mark.parametrize("kind", UNSENDABLE)
def test_value_that_has_no_form_is_refused_with_its_place(peer: Peer, kind: str) -> None:
    info = peer.ask("probe.result", {"kind": kind})["error_info"]
    assert (info["reason"], info["details"].get("path")) == ("SERIALIZE_FAILED", UNSENDABLE[kind])
    assert peer.result("ping")["status"] == "ok"


@pytest.mark.sentence("P-28", "P-52")
@pytest.mark.parametrize(("kind", "path"), [("cycle", "$[0]"), ("dict_cycle", "$.self.again[0]")])
def test_value_that_contains_itself_is_refused(peer: Peer, kind: str, path: str) -> None:
    info = peer.ask("probe.result", {"kind": kind})["error_info"]
    assert (info["reason"], info["details"]["path"]) == ("VALUE_TOO_COMPLEX", path)


@pytest.mark.sentence("P-67")
@pytest.mark.parametrize(("kind", "depth"), [("list", 127), ("tuple", 63), ("point", 63)])
def test_value_may_be_as_deep_as_a_message_and_no_deeper(peer: Peer, kind: str, depth: int) -> None:
    # The message itself is a level; a tagged value is two.
    assert peer.ask("probe.deep", {"depth": depth, "kind": kind})["success"]
    assert peer.reason("probe.deep", {"depth": depth + 1, "kind": kind}) == "VALUE_TOO_COMPLEX"
    assert peer.reason("probe.deep", {"depth": 50_000, "kind": kind}) == "VALUE_TOO_COMPLEX"


@pytest.mark.sentence("P-66")
@pytest.mark.parametrize("kind", ["numbers", "pairs"])
def test_value_of_too_many_parts_is_refused(peer: Peer, kind: str) -> None:
    assert peer.reason("probe.many", {"count": 1_000_000, "kind": kind}) == "VALUE_TOO_COMPLEX"


def test_stream_of_too_many_items_for_a_peer_that_wants_no_chunks_is_refused(peer: Peer) -> None:
    assert peer.reason("probe.count_main", {"to": 1_000_001}) == "VALUE_TOO_COMPLEX"


@pytest.mark.sentence("P-3", "P-27")
def test_result_that_does_not_fit_in_a_frame_is_refused_and_serving_goes_on(peer: Peer) -> None:
    info = peer.ask("probe.large", {"size": 64 << 20})["error_info"]
    assert info["reason"] == "RESULT_TOO_LARGE"
    assert info["details"]["limit"] == 64 << 20 < info["details"]["size"]
    assert len(peer.result("probe.large", {"size": (64 << 20) - 200})) == (64 << 20) - 200


@pytest.mark.parametrize("operation", ["probe.echo", "probe.echo_thread", "probe.echo_async"])
@pytest.mark.parametrize("value", [None, True, 0, -1.5, "ü\u0000\u2028", [], {}, {"a": [{"b": None}]}, 2**64 - 1])
def test_json_comes_back_as_it_went(peer: Peer, operation: str, value: Any) -> None:
    assert peer.result(operation, {"value": value}) == value
