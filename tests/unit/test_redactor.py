"""What a process has learnt to be secret: nothing until it is told, and then everywhere."""

from __future__ import annotations

import gc
import json
from urllib.parse import quote

import pytest
from canary import KEY, assert_unseen
from hypothesis import given
from hypothesis import strategies as st

from bridge_core.errors import StoreFullError
from bridge_core.secrets._redactor import Redactor

pytestmark = [pytest.mark.capability("K10")]

TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp"]), min_size=8, max_size=30)


class Holder:
    """Stands for a session."""


def redactor(*values: str) -> Redactor:
    made = Redactor()
    for value in values:
        made.add(value)
    return made


def test_one_that_knows_nothing_leaves_everything_as_it_is() -> None:
    data = {"a": [KEY, 1]}
    made = Redactor()
    assert (bool(made), made.redact(KEY), made.scrub(data) is data, made.reach) == (False, KEY, True, 0)


@given(TEXT, TEXT)
def test_every_secret_is_redacted_in_every_spelling(first: str, second: str) -> None:
    made = redactor(first, second)
    for one in (first, second):
        for spelling in (one, repr(one)[1:-1], json.dumps(one)[1:-1], quote(one, safe="")):
            assert "[redacted]" in made.redact(f"«{spelling}»"), spelling


@pytest.mark.parametrize("short", ["", "  ", "1234567", " 1234567\n"])
def test_short_value_may_be_an_ordinary_word(short: str) -> None:
    assert not redactor(short)


def test_longer_secret_is_redacted_before_one_that_is_a_part_of_it() -> None:
    assert redactor("abcdefgh", "abcdefgh-ijkl").redact("abcdefgh-ijkl abcdefgh") == "[redacted] [redacted]"


def test_lines_of_a_secret_are_secrets_too() -> None:
    pem = "-----BEGIN KEY-----\nMIIEvAIBADANBgkq\r\nhkiG9w0BAQEFAASC\n-----END KEY-----\n"
    made = redactor(pem)
    for line in pem.splitlines():
        assert made.redact(f"<{line}>") == "<[redacted]>"
    assert made.redact(json.dumps(pem.strip())) == '"[redacted]"'


def test_plain_data_is_scrubbed_to_its_leaves_and_keys() -> None:
    given = {"a": [KEY, 1, None, {KEY: (True, KEY)}], "b": "left alone"}
    assert redactor(KEY).scrub(given) == {
        "a": ["[redacted]", 1, None, {"[redacted]": [True, "[redacted]"]}],
        "b": "left alone",
    }


def test_name_of_a_field_stays_whatever_is_secret() -> None:
    made = redactor("framework", "sk-FRAMEWORK")
    given = {"framework": "framework", "sk-FRAMEWORK": [{"framework": "framework-1"}]}
    assert made.scrub(given) == {"framework": "[redacted]", "[redacted]": [{"framework": "[redacted]-1"}]}


def test_data_that_contains_itself_does_not_take_for_ever() -> None:
    looped: list[object] = [KEY]
    looped.append(looped)
    assert redactor(KEY).scrub(looped)[0] == "[redacted]"


def test_secrets_whose_holders_are_gone_make_room() -> None:
    made, kept = Redactor(most=20), Holder()
    made.add("kept-for-its-holder", holder=kept)
    made.add("kept-for-ever")
    for number in range(60):
        made.add(f"secret-{number:08}", holder=Holder())
    assert made.redact("kept-for-its-holder kept-for-ever") == "[redacted] [redacted]"
    assert made.redact("secret-00000059") == "[redacted]"
    assert made.redact("secret-00000000") != "[redacted]"


@pytest.mark.parametrize(("length", "limits"), [(20, {"most": 9}), (500, {"room": 4999})])
def test_secrets_in_use_are_limited_and_those_that_are_there_stay(length: int, limits: dict[str, int]) -> None:
    made, holder = Redactor(**limits), Holder()
    for number in range(9):
        made.add(f"{number:04}".ljust(length, "x"), holder=holder)
    with pytest.raises(StoreFullError):
        made.add("y" * length, holder=holder)
    made.add("0000".ljust(length, "x"), holder=Holder())
    assert made.redact("0000".ljust(length, "x")) == "[redacted]"
    del holder
    gc.collect()
    made.add("y" * length)
    assert made.redact("y" * length) == "[redacted]"


@pytest.mark.parametrize("secret", ["\\" * 30 + "x", 'a\\"\\"b"' * 3, "é\\é\\ééééé", '"' * 10, "\\\\server\\share"])
@pytest.mark.parametrize("text", ["\\" * 20_000, "a" + "\\" * 20_000, ("a" + "\\" * 50 + '"') * 400, '\\"' * 9999])
def test_no_text_takes_for_ever(secret: str, text: str) -> None:
    made = redactor(secret)
    assert made.redact(f"{text} {secret}!").endswith("[redacted]!")


def test_canary_is_unseen_whatever_stands_around_it() -> None:
    made = redactor(KEY)
    assert_unseen(made.redact(f"{KEY}{KEY!r}x{json.dumps(KEY)}\\{KEY}"))
