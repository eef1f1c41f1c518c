"""References to secrets: what they stand for, who may use them, and errors that never show a value."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from canary import KEY, assert_unseen, shows

from bridge_core.errors import InvalidConfigError, SecretNotAllowedError, ValueTooComplexError
from bridge_core.secrets._redactor import LONGEST, Redactor
from bridge_core.secrets._references import SecretReferences

pytestmark = [pytest.mark.capability("K10")]

ENVIRON = {
    "THE_KEY": KEY,
    "OTHER_KEY": "sk-other-0123",
    "EMPTY": "",
    "BROKEN": "\udcff" * 9,
    "LONG": "x" * LONGEST + "x",
}


def references(redactor: Redactor | None = None, **options: Any) -> SecretReferences:
    return SecretReferences(Redactor() if redactor is None else redactor, environ=lambda: ENVIRON, **options)


def test_references_at_any_depth_are_replaced_and_the_configuration_is_not_changed(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("sk-from-a-file\n", "utf-8")
    given = {"a": {"$env": "THE_KEY"}, "b": [1, {"c": {"$file": str(tmp_path / "key")}}], "d": ({"$secret": "sk-raw"},)}
    before = repr(given)
    assert references().resolve(given) == {"a": KEY, "b": [1, {"c": "sk-from-a-file"}], "d": ["sk-raw"]}
    assert repr(given) == before


def test_configuration_without_references_is_itself() -> None:
    given = {"a": [1, {"b": ("c",)}], "$ref": "x"}
    assert references().resolve(given) is given


def test_values_are_known_as_secrets_before_anybody_has_them() -> None:
    redactor = Redactor()
    references(redactor).resolve({"a": {"$env": "THE_KEY"}, "b": {"$secret": "sk-raw-0123"}})
    assert redactor.redact(f"{KEY} and sk-raw-0123") == "[redacted] and [redacted]"


def test_values_may_be_marked_instead_for_a_worker() -> None:
    marked = references(resolved="marked").resolve({"a": {"$env": "THE_KEY"}, "b": {"$secret": "sk-raw"}})
    assert {name: one.form() for name, one in marked.items()} == {"a": {"$secret": KEY}, "b": {"$secret": "sk-raw"}}
    assert_unseen(repr(marked))


@pytest.mark.parametrize(
    ("content", "value"), [("k", "k"), ("k\n", "k"), ("k\r\n", "k"), ("k\n\n", "k\n"), ("a\nb\n", "a\nb"), ("", "")]
)
def test_of_a_file_one_newline_at_the_end_is_left_out(tmp_path: Path, content: str, value: str) -> None:
    (tmp_path / "key").write_bytes(content.encode())
    assert references().resolve({"$file": str(tmp_path / "key")}) == value


@pytest.mark.parametrize(
    "reference",
    [
        {"$env": "MISSING"},
        {"$env": 7},
        {"$env": KEY},
        {"$env": ""},
        {"$env": "THE_KEY", "default": KEY},
        {"$env": "THE_KEY", "$file": "x"},
        {"$env": "BROKEN"},
        {"$env": "LONG"},
        {"$secret": [KEY]},
        {"$secret": "x" * LONGEST + "x"},
        {"$secret": "\ud800" * 9},
        {"$file": None},
        {"$file": "/nowhere/at/all"},
        {"$file": "/"},
        {"$file": "/dev/zero"},
        {"$file": "a\0b"},
        {"$file": ""},
    ],
    ids=repr,
)
def test_reference_that_leads_nowhere_is_refused_with_its_path(reference: dict[str, Any]) -> None:
    with pytest.raises(InvalidConfigError) as caught:
        references().resolve({"a": [{"b": reference}]})
    assert caught.value.details == {"path": "$.a[0].b"}
    assert caught.value.message.startswith("$.a[0].b: ")
    assert shows(f"{caught.value!r} {caught.value.__cause__!r}") is None


@pytest.mark.parametrize("content", [b"x" * (5 * LONGEST), b"x" * (LONGEST + 2), b"sk-CANARY\xff\xfe"], ids=len)
def test_file_that_is_too_long_or_no_text_is_refused_and_not_shown(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "key").write_bytes(content)
    with pytest.raises(InvalidConfigError) as caught:
        references().resolve({"key": {"$file": str(tmp_path / "key")}})
    assert caught.value.details == {"path": "$.key"}
    assert_unseen(f"{caught.value!r} {caught.value.__cause__!r}")


def test_fifo_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "key")
    with pytest.raises(InvalidConfigError):
        references().resolve({"$file": str(tmp_path / "key")})


def test_file_that_may_not_be_read_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "key").symlink_to("key")
    with pytest.raises(InvalidConfigError):
        references().resolve({"$file": str(tmp_path / "key")})


def test_peer_may_refer_to_listed_variables_only_and_to_no_file() -> None:
    peers = references(allowed=frozenset(["OTHER_KEY", "MISSING"]), files=False)
    assert peers.resolve({"$env": "OTHER_KEY"}) == "sk-other-0123"
    for reference in ({"$env": "THE_KEY"}, {"$env": "NOT_THERE"}, {"$env": "HOME"}, {"$file": "/etc/hostname"}):
        with pytest.raises(SecretNotAllowedError) as caught:
            peers.resolve({"a": reference})
        assert caught.value.details["path"] == "$.a"
        assert_unseen(str(caught.value))
    with pytest.raises(InvalidConfigError):
        peers.resolve({"$env": "MISSING"})


def test_configuration_that_contains_itself_or_is_too_large_is_refused() -> None:
    looped: list[Any] = []
    looped += [looped, looped]
    with pytest.raises(ValueTooComplexError):
        references().resolve(looped)
    wide: Any = [1]
    for _ in range(30):
        wide = [wide, wide]
    with pytest.raises(ValueTooComplexError):
        references().resolve(wide)
