"""Secrets: redacted in every spelling, and never the reason for an unreadable error."""

from __future__ import annotations

import base64
import html
import json
import re
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge_core.errors import HandlerRaisedError, InvalidArgumentsError
from bridge_core.secrets import Credentials, Secrets

pytestmark = [pytest.mark.capability("K10")]

KEY = 'sk-SÉCRET/01+2\\3="x y&'
PRINTABLE = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp"]), min_size=4, max_size=30)


def spellings(secret: str) -> list[str]:
    data = secret.encode()
    percent = quote(secret, safe="")
    return [
        secret,
        repr(secret)[1:-1],
        json.dumps(secret)[1:-1],
        json.dumps(json.dumps(secret))[3:-3],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        percent,
        re.sub("%..", lambda match: match.group().lower(), percent),
        quote_plus(secret),
        html.escape(secret),
        base64.b64encode(data).decode(),
        base64.urlsafe_b64encode(data).decode().rstrip("="),
    ]


@given(PRINTABLE)
def test_no_spelling_of_a_secret_is_left(secret: str) -> None:
    secrets = Secrets([secret])
    for spelling in spellings(secret):
        assert secrets.redact(f"before «{spelling}» after").startswith("before «[redacted]"), spelling


@given(PRINTABLE.filter(lambda secret: len(secret) >= 8), st.text(max_size=5))
def test_secret_is_found_inside_longer_base64(secret: str, before: str) -> None:
    encoded = base64.b64encode(f"{before}{secret}:tail".encode("utf-8", "surrogatepass")).decode()
    assert "[redacted]" in Secrets([secret]).redact(encoded)


def test_key_with_everything_in_it_is_redacted_in_every_spelling() -> None:
    secrets = Secrets([KEY])
    assert {secrets.redact(spelling).rstrip("=") for spelling in spellings(KEY)} == {"[redacted]"}


def test_of_two_secrets_the_longer_is_redacted_whole() -> None:
    assert Secrets(["abcdefgh", "abcdefgh-ijkl"]).redact("abcdefgh-ijkl") == "[redacted]"


@pytest.mark.parametrize(
    ("key", "text", "redacted"),
    [
        ("none", "key 'none' is nonexistent", "key '[redacted]' is nonexistent"),
        ("abc", "the key abc stays", "the key abc stays"),
        ("12345678", "x12345678x", "x[redacted]x"),
    ],
)
def test_short_value_is_redacted_only_where_it_stands_alone(key: str, text: str, redacted: str) -> None:
    assert Secrets([key]).redact(text) == redacted


def test_without_secrets_every_text_is_left_alone() -> None:
    assert not Secrets(["", "  ", "ab"])
    assert Secrets().redact(KEY) == KEY


def credentials(key: str | None = None, base: str | None = None, **environ: str) -> Credentials:
    return Credentials(api_key=key, api_base=base, environ=environ)


def test_key_and_url_are_kept_without_the_space_around_them() -> None:
    kept = credentials(" sk-SECRET-0123\r\n", " http://127.0.0.1:1/v1\n")
    assert (kept.api_key, kept.api_base, kept.shown_base) == ("sk-SECRET-0123", *["http://127.0.0.1:1/v1"] * 2)


@pytest.mark.parametrize("empty", [None, "", " "])
def test_empty_key_and_url_are_none(empty: str | None) -> None:
    kept = credentials(empty, empty)
    assert (kept.api_key, kept.api_base, kept.shown_base, bool(kept.secrets)) == (None, None, None, False)


@pytest.mark.parametrize(
    "secret",
    ["sk-0123-4567", "some%40one", "some@one", "pass%2Fword", "pass/word", "key=val%20ue&x=1", "val ue", "frag"],
)
def test_key_and_whatever_may_be_one_in_the_url_are_secret_encoded_or_not(secret: str) -> None:
    kept = credentials("sk-0123-4567", "http://some%40one:pass%2Fword@host/v1?key=val%20ue&x=1#frag")
    assert kept.secrets.redact(f"at host: {secret}.") == "at host: [redacted]."
    assert kept.shown_base == "http://host/v1"


def test_keys_in_the_environment_are_secret() -> None:
    kept = credentials(OPENAI_API_KEY="sk-environment", hf_token="hf-environment", X_API_KEY="short", HOME="/home/me")
    assert kept.secrets.redact("sk-environment hf-environment short /home/me") == "[redacted] [redacted] short /home/me"


@pytest.mark.parametrize("key", ["sk-SECRET\nline", "sk-SECRET\0", "sk-SECRET\x7fx", "sk-SECRET\u2028x"])
def test_key_with_control_characters_is_refused_and_not_shown(key: str) -> None:
    with pytest.raises(InvalidArgumentsError) as caught:
        credentials(key)
    assert caught.value.details == {"path": "$.api_key"}
    assert "SECRET" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "SECRET@h/v1",
        "http://SECRET@",
        "http://u:SECRET@[x/",
        "http://SECRET@h:99999",
        "ftp://SECRET@h",
        "http://h/\nSECRET",
    ],
)
def test_url_that_is_none_is_refused_and_not_shown(url: str) -> None:
    with pytest.raises(InvalidArgumentsError) as caught:
        credentials(base=url)
    assert caught.value.details == {"path": "$.api_base"}
    assert "SECRET" not in f"{caught.value} {caught.value.__cause__}"


def test_credentials_do_not_show_themselves() -> None:
    assert "SECRET" not in repr(credentials("sk-SECRET-0123", "http://SECRET@host"))


def chained() -> Exception:
    exc = RuntimeError("it failed")
    exc.__cause__ = ValueError(f"because of {KEY}")
    return exc


@pytest.mark.parametrize("exc", [RuntimeError(f"with {KEY}"), KeyError(KEY), chained(), ValueError("x" * 1990 + KEY)])
def test_exception_that_would_show_a_secret_is_described_as_the_host_would_without_it(exc: Exception) -> None:
    described = Secrets([KEY]).redacted(exc)
    assert isinstance(described, HandlerRaisedError)
    assert described.details["exception"] == type(exc).__name__
    assert "sk-S" not in f"{described} {described.details}"


def test_exception_that_shows_no_secret_needs_no_other_description() -> None:
    assert Secrets([KEY]).redacted(RuntimeError("no secret")) is None
    assert Secrets().redacted(RuntimeError(KEY)) is None
