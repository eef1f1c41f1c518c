"""Results become what the wire can carry, without a silent change."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from ipaddress import ip_address
from pathlib import PurePosixPath
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge_core.errors import BridgeError, NotConfiguredError, SerializeFailedError, ValueTooComplexError
from bridge_core.protocol import Connection, Limits, Request, Response
from bridge_core.serialize import NOT_PLAIN, Serializer, plain

pytestmark = [pytest.mark.capability("A16")]


def nobody(value: object, encode: Callable[[object], Any]) -> None:
    """Know no framework objects."""


def encode(value: object, **options: Any) -> Any:
    return Serializer(nobody, **options).encode(value)


TEXTUAL: dict[str, Callable[[Any], Any]] = {
    "complex": complex,
    "date": dt.date.fromisoformat,
    "datetime": dt.datetime.fromisoformat,
    "decimal": Decimal,
    "fraction": Fraction,
    "ip": ip_address,
    "path": PurePosixPath,
    "time": dt.time.fromisoformat,
    "uuid": UUID,
}


def decode(form: Any) -> Any:
    """Undo the encoding: what a peer would do."""
    if isinstance(form, list):
        return [decode(item) for item in form]
    if not isinstance(form, dict):
        return form
    if "$type" not in form:
        return {key: decode(value) for key, value in form.items()}
    kinds: dict[str, Callable[[Any], Any]] = {
        "tuple": lambda form: tuple(decode(form["items"])),
        "set": lambda form: set(decode(form["items"])),
        "frozenset": lambda form: frozenset(decode(form["items"])),
        "dict": lambda form: {decode(key): decode(value) for key, value in form["pairs"]},
        "float": lambda form: float(form["value"]),
        "int": lambda form: int(form["value"]),
        "timedelta": lambda form: dt.timedelta(seconds=form["value"]),
        **{name: lambda form, read=read: read(form["value"]) for name, read in TEXTUAL.items()},
    }
    return kinds[form["$type"]](form)


textual = (
    st.dates()
    | st.datetimes(timezones=st.none() | st.just(dt.timezone.utc))
    | st.times()
    | st.timedeltas(dt.timedelta(days=-90_000), dt.timedelta(days=90_000))
    | st.decimals(allow_nan=False)
    | st.fractions()
    | st.uuids()
    | st.complex_numbers(allow_nan=False)
    | st.ip_addresses()
    | st.just(PurePosixPath("a/b"))
)
keys = st.recursive(st.none() | st.integers() | st.text() | st.booleans(), lambda inner: st.tuples(inner, inner))
names = st.text().filter(lambda name: not name.startswith("$"))
json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | names,
    lambda inner: st.lists(inner) | st.dictionaries(names, inner),
    max_leaves=20,
)
leaves = keys | textual | st.floats(allow_nan=False) | st.frozensets(st.integers() | st.text())
values = st.recursive(
    leaves,
    lambda inner: st.lists(inner) | st.tuples(inner) | st.dictionaries(keys, inner) | st.sets(keys),
    max_leaves=20,
)


@pytest.mark.sentence("P-71")
@given(values)
def test_nothing_is_lost_or_changed_on_the_way(value: Any) -> None:
    assert decode(msgspec.json.decode(msgspec.json.encode(encode(value)))) == value


@given(json)
def test_plain_json_stays_as_it_is(value: Any) -> None:
    assert encode(value) == value


def test_codec_that_carries_them_gets_bytes_and_floats_as_they_are() -> None:
    binary, number = encode([b"\x00", math.inf], native=True)
    assert (binary, number) == (b"\x00", math.inf)
    assert encode([math.inf], native=True) == [math.inf]
    assert encode(bytearray(b"x"), native=True) == b"x"


def test_integer_of_very_many_digits_keeps_them_all() -> None:
    assert encode(10**6000) == {"$type": "int", "value": "1" + "0" * 6000}
    assert encode(-(10**6000))["value"][:2] == "-1"


@pytest.mark.parametrize("value", [True, 1.0, 1, "1", None])
def test_type_is_kept(value: object) -> None:
    assert type(encode(value)) is type(value)


class Thing:
    """A framework object."""

    def __init__(self, part: object = None) -> None:
        self.part = part


def describe(value: object, encode: Callable[[object], Any]) -> Any:
    """Know one framework object."""
    return {"$type": "thing", "part": encode(value.part)} if isinstance(value, Thing) else None


def test_framework_object_has_the_form_that_its_plugin_gives() -> None:
    assert Serializer(describe).encode([Thing((1,))]) == [{"$type": "thing", "part": {"$type": "tuple", "items": [1]}}]


def test_framework_object_that_contains_itself_is_refused() -> None:
    thing = Thing()
    thing.part = {"again": thing}
    with pytest.raises(ValueTooComplexError) as caught:
        Serializer(describe).encode(thing)
    assert caught.value.details["path"] == "$.again"


@pytest.mark.parametrize(
    ("raised", "reason"), [(ValueError("x"), "SERIALIZE_FAILED"), (NotConfiguredError("x"), "NOT_CONFIGURED")]
)
def test_what_a_plugin_raises_fails_the_result(raised: Exception, reason: str) -> None:
    def fail(value: object, encode: Callable[[object], Any]) -> Any:
        raise raised

    with pytest.raises(BridgeError) as caught:
        Serializer(fail).encode({"a": [object()]})
    assert caught.value.reason == reason


def test_plugin_may_fall_back_when_a_part_has_no_form() -> None:
    def lenient(value: object, encode: Callable[[object], Any]) -> Any:
        if isinstance(value, Thing):
            try:
                return encode([value.part])
            except SerializeFailedError as exc:
                return exc.details["path"]
        return None

    assert Serializer(lenient).encode([Thing(object()), Thing(object())]) == ["$[0][0]", "$[1][0]"]


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ([1, object()], "$[1]"),
        ({"a": {"b": (object(),)}}, "$.a.b[0]"),
        ({3: object()}, "$.3"),
        ({object(): 1}, "$"),
        ([object], "$[0]"),
    ],
)
def test_part_without_a_form_is_named(value: object, path: str) -> None:
    with pytest.raises(SerializeFailedError) as caught:
        encode(value)
    assert caught.value.details == {"path": path}


def test_same_value_twice_is_no_cycle() -> None:
    part = [1]
    assert encode([part, part, (part,)]) == [[1], [1], {"$type": "tuple", "items": [[1]]}]


KINDS: list[Callable[[Any], Any]] = [
    lambda inner: [inner],
    lambda inner: {"k": inner},
    lambda inner: (inner,),
    lambda inner: {1: inner},
    lambda inner: frozenset([inner]) if inner is None else [inner],
]
LIMITS = Limits(max_depth=12, max_nodes=60)


def accepted(form: Any) -> bool:
    """Whether a peer with the same limits takes it."""
    worker, peer = Connection("worker"), Connection("peer", limits=LIMITS)
    worker.receive_data(Connection("peer").send(Request(id=1, operation="o")))
    assert worker.next_message() is not None
    peer.receive_data(worker.send(Response(id=1, result=form, timestamp=0.0)))
    return isinstance(peer.next_message(), Response)


@pytest.mark.sentence("P-67")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("leaf", [None, b"bytes", 2**70, math.nan])
def test_what_is_not_refused_for_its_depth_is_accepted_by_a_peer_with_the_same_limit(
    kind: Callable[[Any], Any], leaf: object
) -> None:
    value, sent = leaf, 0
    for _ in range(20):
        try:
            form = encode(value, max_depth=LIMITS.max_depth - 1)
        except ValueTooComplexError:
            break
        assert accepted(form)
        value, sent = kind(value), sent + 1
    assert 0 < sent < 20


@pytest.mark.sentence("P-66")
@pytest.mark.parametrize("many", [list, tuple, set, dict.fromkeys])
@pytest.mark.parametrize("leaf", [int, str, lambda number: 2**70 + number])
def test_what_is_not_refused_for_its_size_is_accepted_by_a_peer_with_the_same_limit(
    many: Callable[[Any], Any], leaf: Callable[[int], object]
) -> None:
    sent = 0
    for count in range(80):
        try:
            form = encode(many(map(leaf, range(count))), max_nodes=LIMITS.max_nodes - 6)
        except ValueTooComplexError:
            break
        assert accepted(form)
        sent += 1
    assert 5 < sent < 80


@given(values)
def test_value_that_is_plain_is_what_a_serializer_makes_of_it_and_a_copy(value: Any) -> None:
    form = plain(value)
    for codec in ("json", "msgpack"):
        whole = encode(value, native=codec == "msgpack")
        assert form is NOT_PLAIN or repr(form) == repr(whole)
    assert form is NOT_PLAIN or not isinstance(value, (list, dict)) or form is not value


@pytest.mark.parametrize(
    "value",
    [
        float("nan"), [-float("inf")],
        2**64, {"a": -(2**63) - 1}, (1,), {1}, b"x", {1: 2}, {"$type": 1}, {"a": {"$": 1}},
        [[[[1]]]], list(range(33)), {"a": object()}, type("Text", (str,), {})("x"), {"a": True, "b": (1,)},
    ],
)  # fmt: skip
def test_value_that_is_not_plain_is_left_to_a_serializer(value: Any) -> None:
    assert plain(value) is NOT_PLAIN


def test_value_that_contains_itself_is_not_plain() -> None:
    cycle: list[Any] = []
    cycle.append(cycle)
    assert plain(cycle) is NOT_PLAIN
