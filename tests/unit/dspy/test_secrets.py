"""Secrets: redacted in every spelling, and never the reason for an unreadable error."""

from __future__ import annotations

import base64
import html
import json
import re
from typing import Any
from urllib.parse import quote, quote_plus, urlsplit

import dspy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.dspy.calls import Peer

from bridge_core import BridgeError
from bridge_core.errors import HandlerRaisedError, InvalidArgumentsError
from bridge_dspy._secrets import Secrets, secrets_in_environment, secrets_in_url

pytestmark = [pytest.mark.capability("B07", "K10")]

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


def test_credentials_in_a_url_are_secret_encoded_or_not() -> None:
    found = secrets_in_url(urlsplit("http://some%40one:pass%2Fword@host/v1?key=val%20ue&x=1#frag"))
    assert {"some%40one", "some@one", "pass%2Fword", "pass/word", "key=val%20ue&x=1", "val ue", "frag"} <= found
    assert "host" not in found


def test_keys_in_the_environment_are_secret() -> None:
    environ = {"OPENAI_API_KEY": "sk-environment", "HF_TOKEN": "hf-environment", "X_API_KEY": "short", "HOME": "/me"}
    assert secrets_in_environment(environ) == {"sk-environment", "hf-environment"}


@pytest.mark.parametrize("key", ["sk-SECRET\nline", "sk-SECRET\0", "sk-SECRET\x7fx", "sk-SECRET\u2028x"])
def test_key_with_control_characters_is_refused_and_not_shown(key: str) -> None:
    with pytest.raises(InvalidArgumentsError) as caught:
        Peer().call("configure_lm", model="openai/x", api_key=key)
    assert caught.value.details == {"path": "$.api_key"}
    assert "SECRET" not in str(caught.value)


def test_space_around_a_key_is_not_a_part_of_it() -> None:
    peer = Peer()
    peer.call("configure_lm", model="openai/x", api_key=" sk-SECRET-0123\r\n", api_base=" http://127.0.0.1:1/v1\n")
    assert peer.sessions.get("a").settings["dspy"].lm.kwargs["api_key"] == "sk-SECRET-0123"


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
        Peer().call("configure_lm", model="openai/x", api_base=url)
    assert caught.value.details == {"path": "$.api_base"}
    assert "SECRET" not in f"{caught.value} {caught.value.__cause__}"


def raising(exc: BaseException) -> BaseException:
    """Raise inside a call of a session that has a key, and return what comes out."""
    peer = Peer()
    peer.call("configure_lm", model="openai/x", api_key=KEY)
    with pytest.raises(BaseException) as caught, peer.host.call_context("dspy", peer.sessions.get("a")):
        raise exc
    return caught.value


def chained() -> Exception:
    exc = RuntimeError("it failed")
    exc.__cause__ = ValueError(f"because of {KEY}")
    return exc


@pytest.mark.parametrize("exc", [RuntimeError(f"with {KEY}"), KeyError(KEY), chained(), ValueError("x" * 1990 + KEY)])
def test_exception_that_would_show_a_secret_becomes_what_the_host_would_say_without_it(exc: Exception) -> None:
    came = raising(exc)
    assert isinstance(came, HandlerRaisedError)
    assert came.details["exception"] == type(exc).__name__
    assert "SÉCRET" not in f"{came} {came.details}"
    assert "sk-S" not in f"{came} {came.details}"
    assert (came.__cause__, came.__suppress_context__) == (None, True)


@pytest.mark.parametrize("exc", [RuntimeError("no secret"), InvalidArgumentsError("ours"), KeyboardInterrupt()])
def test_every_other_exception_passes_as_it_is(exc: BaseException) -> None:
    assert raising(exc) is exc


@pytest.mark.parametrize("kind", [dspy.LMError, dspy.LMAuthError])
def test_error_of_dspys_has_no_secret_and_no_cause(kind: Any) -> None:
    came = raising(kind(f"refused {KEY}"))
    assert isinstance(came, BridgeError)
    assert "[redacted]" in str(came)
    assert came.__cause__ is None
