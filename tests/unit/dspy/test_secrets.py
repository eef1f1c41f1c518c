"""Secrets of a session reach DSPy, and nobody else: neither through errors of DSPy's nor through any other."""

from __future__ import annotations

from typing import Any

import dspy
import pytest
from unit.dspy.calls import Peer

from bridge_core import BridgeError
from bridge_core.errors import HandlerRaisedError, InvalidArgumentsError

pytestmark = [pytest.mark.capability("B07", "K10")]

KEY = 'sk-SÉCRET/01+2\\3="x y&'


@pytest.mark.parametrize(
    ("config", "path"), [({"api_key": "sk-SECRET\nline"}, "$.api_key"), ({"api_base": "SECRET@h/v1"}, "$.api_base")]
)
def test_bad_credentials_are_refused_and_not_shown(config: dict[str, str], path: str) -> None:
    with pytest.raises(InvalidArgumentsError) as caught:
        Peer().call("configure_lm", model="openai/x", **config)
    assert caught.value.details == {"path": path}
    assert "SECRET" not in f"{caught.value} {caught.value.__cause__}"


def test_space_around_a_key_is_not_a_part_of_it() -> None:
    peer = Peer()
    peer.call("configure_lm", model="openai/x", api_key=" sk-SECRET-0123\r\n", api_base=" http://127.0.0.1:1/v1\n")
    assert peer.sessions.get("a").settings["dspy"].lm.kwargs["api_key"] == "sk-SECRET-0123"


def raising(exc: BaseException) -> BaseException:
    """Raise inside a call of a session that has a key, and return what comes out."""
    peer = Peer()
    peer.call("configure_lm", model="openai/x", api_key=KEY)
    with pytest.raises(BaseException) as caught, peer.host.call_context("dspy", peer.sessions.get("a")):
        raise exc
    return caught.value


def test_exception_that_would_show_a_secret_becomes_what_the_host_would_say_without_it() -> None:
    came = raising(RuntimeError(f"with {KEY}"))
    assert isinstance(came, HandlerRaisedError)
    assert "SÉCRET" not in f"{came} {came.details}"
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
