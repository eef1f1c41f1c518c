"""Settings of a generation: which fit together, and what they come to."""

from __future__ import annotations

import math
from typing import Any

import msgspec
import pytest

from bridge_core import BridgeError
from bridge_core.errors import InvalidArgumentsError
from bridge_transformers._settings import Settings

pytestmark = [pytest.mark.capability("B05")]


@pytest.mark.parametrize(
    ("settings", "prompt", "context", "room"),
    [
        ({}, 10, None, 90),
        ({}, 99, 1000, 1),
        ({}, 10, 50, 40),
        ({"max_length": 7}, 3, 50, 4),
        ({"max_new_tokens": 7}, 10, None, 7),
        ({"max_new_tokens": 7}, 200, 1000, 7),
        ({"max_new_tokens": 7, "max_length": 1}, 10, 12, 2),
    ],
)
def test_room_for_the_text_is_what_all_limits_leave(
    settings: dict[str, Any], prompt: int, context: int | None, room: int
) -> None:
    assert Settings(**settings).options(prompt, context) == {"max_new_tokens": room, "do_sample": False}


@pytest.mark.parametrize(
    ("settings", "prompt", "context", "limit"),
    [
        ({}, 100, None, 100),
        ({}, 120, 1000, 100),
        ({}, 50, 50, 50),
        ({"max_new_tokens": 1}, 50, 50, 50),
        ({"max_length": 60}, 70, 65, 60),
        ({"max_length": 90}, 80, 65, 65),
        ({"max_length": 60}, 60, 65, 60),
    ],
)
def test_prompt_that_leaves_no_room_is_told_the_limit(
    settings: dict[str, Any], prompt: int, context: int | None, limit: int
) -> None:
    with pytest.raises(BridgeError) as caught:
        Settings(**settings).options(prompt, context)
    assert caught.value.reason == "TRANSFORMERS_CONTEXT_EXCEEDED"
    assert caught.value.details == {"tokens": prompt, "limit": limit}


def test_what_was_given_is_handed_on() -> None:
    settings = Settings(do_sample=True, temperature=0.5, top_p=0.9, top_k=5)
    settings.check("$")
    expected = {"max_new_tokens": 99, "do_sample": True, "temperature": 0.5, "top_p": 0.9, "top_k": 5}
    assert settings.options(1, None) == expected


@pytest.mark.parametrize("setting", [{"temperature": 0.5}, {"top_p": 0.5}, {"top_k": 5}])
def test_setting_without_effect_is_refused(setting: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgumentsError) as caught:
        Settings(**setting).check("$.settings")
    assert caught.value.details == {"path": f"$.settings.{next(iter(setting))}"}


BEYOND = [math.nan, math.inf, -math.inf, -1.0, 0.0]


@pytest.mark.parametrize(
    ("name", "number"),
    [
        *[(name, number) for name in ("temperature", "top_p") for number in (*BEYOND, 101.0)],
        *[(name, number) for name in ("top_k", "max_length", "max_new_tokens") for number in (*BEYOND, 2.0**40, 1.5)],
    ],
)
def test_number_beyond_reason_is_no_setting(name: str, number: float) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({name: number}, Settings)
