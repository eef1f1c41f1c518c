"""Generation: exact texts, limits, pieces, and all the ways in which it ends early."""

from __future__ import annotations

import math
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import torch
from with_torch.calls import Peer
from with_torch.models import CONTEXT, SAYS, make_model

from bridge_core import BridgeError
from bridge_core.errors import CallCancelledError, CallTimeoutError, InvalidArgumentsError, ModelNotFoundError
from bridge_transformers._errors import TransformersModelUnloadedError
from bridge_transformers._generation import Generation
from bridge_transformers._loaded import LoadedModel
from bridge_transformers._settings import Settings
from guards import BOUND

pytestmark = [pytest.mark.capability("B05", "B10")]

ENDLESS = "go…"


def generation(peer: Peer, ctx: Any, **settings: Any) -> Generation:
    model = peer.sessions.get("a").objects.get("m")
    return Generation(ctx, model, ENDLESS, Settings(**settings), path="$.prompt")


def test_prompt_is_continued_to_the_end_of_the_text(peer: Peer) -> None:
    assert peer.call("generate", model_id="m", prompt="Hello?") == {
        "model_id": "m",
        "text": SAYS,
        "finish_reason": "stop",
        "usage": {"prompt_tokens": 6, "completion_tokens": 10, "total_tokens": 16},
    }


def test_text_without_end_stops_at_100_tokens_with_the_prompt(peer: Peer) -> None:
    answer = peer.call("generate", model_id="m", prompt=ENDLESS)
    assert answer["finish_reason"] == "length"
    assert answer["usage"] == {"prompt_tokens": 3, "completion_tokens": 97, "total_tokens": 100}


@pytest.mark.parametrize(
    ("limits", "text"),
    [
        ({"max_length": 4}, " on"),
        ({"max_length": 6}, " on and on"),
        ({"max_new_tokens": 2}, " on and"),
        ({"max_new_tokens": 2, "max_length": 1}, " on and"),
    ],
)
def test_limits_count_as_they_say(peer: Peer, limits: dict[str, int], text: str) -> None:
    answer = peer.call("generate", model_id="m", prompt=ENDLESS, **limits)
    assert (answer["text"], answer["finish_reason"]) == (text, "length")


def test_text_ends_where_the_model_looks_no_further(peer: Peer) -> None:
    prompt = "x" * (CONTEXT - 2)
    answer = peer.call("generate", model_id="m", prompt=prompt, max_new_tokens=50)
    assert (answer["text"], answer["usage"]["total_tokens"]) == ("The tiny", CONTEXT)


def test_pieces_are_whole_characters_and_make_up_the_text(peer: Peer) -> None:
    chunks, streamed = peer.streamed("generate", model_id="m", prompt="Hello?")
    assert chunks == [{"text": text} for text in ("The", " tiny", " model", " ends", " with", " caf", "é", ".")]
    assert streamed == peer.call("generate", model_id="m", prompt="Hello?")


def test_half_a_character_at_the_limit_is_shown_as_such(peer: Peer) -> None:
    chunks, streamed = peer.streamed("generate", model_id="m", prompt="Hello?", max_new_tokens=7)
    assert chunks[-1] == {"text": "\N{REPLACEMENT CHARACTER}"}
    assert "".join(chunk["text"] for chunk in chunks) == streamed["text"]


def test_what_the_author_of_a_model_recommends_changes_nothing(tmp_path: Path) -> None:
    recommended = {"do_sample": True, "temperature": 50.0, "num_beams": 2, "max_new_tokens": 3, "min_new_tokens": 90}
    peer = Peer()
    peer.call("load_model", model=make_model(tmp_path, return_dict_in_generate=True, **recommended), id="m")
    assert peer.call("generate", model_id="m", prompt="Hello?")["text"] == SAYS
    assert peer.streamed("generate", model_id="m", prompt="Hello?")[1]["text"] == SAYS


def test_author_may_name_several_tokens_that_end_a_text(tmp_path: Path) -> None:
    directory = make_model(tmp_path)
    ends = Peer()
    ends.call("load_model", model=directory, id="m")
    token = ends.sessions.get("a").objects.get("m").encode(" model")
    peer = Peer()
    peer.call("load_model", model=make_model(tmp_path, eos_token_id=[*token, 0]), id="m")
    answer = peer.call("generate", model_id="m", prompt="Hello?")
    assert (answer["text"], answer["finish_reason"]) == ("The tiny model", "stop")


def test_sampling_follows_its_settings(peer: Peer) -> None:
    def sampled(**settings: Any) -> Any:
        return peer.call("generate", model_id="m", prompt="Hello?", do_sample=True, **settings)["text"]

    assert sampled(temperature=100, top_k=1) == SAYS
    assert sampled(temperature=0.01, top_p=0.5) == SAYS
    assert sampled(temperature=100, top_k=300) != SAYS


@pytest.mark.parametrize(
    ("arguments", "path"),
    [
        ({"prompt": ""}, "$.prompt"),
        ({"do_sample": True, "temperature": math.nan}, "$.temperature"),
        ({"do_sample": True, "temperature": math.inf}, "$.temperature"),
        ({"do_sample": True, "temperature": 0}, "$.temperature"),
        ({"do_sample": True, "top_p": math.nan}, "$.top_p"),
        ({"do_sample": True, "top_p": 1.5}, "$.top_p"),
        ({"do_sample": True, "top_k": 0}, "$.top_k"),
        ({"temperature": 0.5}, "$.temperature"),
        ({"top_k": 5}, "$.top_k"),
        ({"max_new_tokens": 0}, "$.max_new_tokens"),
        ({"max_length": math.nan}, "$.max_length"),
        ({"model_id": ""}, "$.model_id"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(peer: Peer, arguments: dict[str, Any], path: str) -> None:
    with pytest.raises(InvalidArgumentsError) as caught:
        peer.call("generate", **{"model_id": "m", "prompt": "Hello?", **arguments})
    assert caught.value.details["path"] == path


@pytest.mark.parametrize(
    ("prompt", "limits", "limit"),
    [("x" * 100, {}, 100), ("x" * 7, {"max_length": 7}, 7), ("x" * CONTEXT, {"max_new_tokens": 1}, CONTEXT)],
)
def test_prompt_that_leaves_no_room_is_refused(peer: Peer, prompt: str, limits: dict[str, int], limit: int) -> None:
    with pytest.raises(BridgeError) as caught:
        peer.call("generate", model_id="m", prompt=prompt, **limits)
    assert caught.value.reason == "TRANSFORMERS_CONTEXT_EXCEEDED"
    assert caught.value.details == {"tokens": len(prompt), "limit": limit}


def test_model_that_is_not_there_or_for_something_else_is_refused(peer: Peer, encoder: str) -> None:
    with pytest.raises(ModelNotFoundError):
        peer.call("generate", model_id="nobody", prompt="?")
    peer.call("load_model", model=encoder, id="e", task="embeddings")
    with pytest.raises(BridgeError) as caught:
        peer.call("generate", model_id="e", prompt="?")
    assert caught.value.reason == "TRANSFORMERS_WRONG_TASK"


def test_prompt_of_which_the_model_knows_nothing_is_refused(peer: Peer) -> None:
    class Deaf:
        def encode(self, text: str, **options: Any) -> list[int]:
            return []

    deaf = LoadedModel(None, Deaf(), task="generation", directory="", context_length=None)
    with pytest.raises(InvalidArgumentsError):
        Generation(peer.context(), deaf, "\u200b", Settings(), path="$.prompt")


@pytest.mark.parametrize(("field", "error"), [("cancelled", CallCancelledError), ("deadline", CallTimeoutError)])
def test_text_that_is_not_wanted_any_more_ends_at_the_next_token(
    peer: Peer, field: str, error: type[BridgeError]
) -> None:
    ctx = peer.context()
    heard: list[int] = []

    def hear(token: int) -> None:
        heard.append(token)
        setattr(ctx, field, time.monotonic())

    with pytest.raises(error):
        generation(peer, ctx, max_new_tokens=1000).run(hear)
    assert len(heard) == 1


def test_model_that_is_unloaded_while_it_writes_stops(peer: Peer) -> None:
    with pytest.raises(TransformersModelUnloadedError):
        generation(peer, peer.context()).run(lambda token: peer.call("unload_model", model_id="m"))


def test_model_that_is_unloaded_while_it_streams_stops(peer: Peer) -> None:
    stream = peer.stream("generate", model_id="m", prompt=ENDLESS, max_new_tokens=1000)
    next(stream)
    peer.call("unload_model", model_id="m")
    with pytest.raises(TransformersModelUnloadedError):
        list(stream)


def test_stream_that_is_closed_early_stops_the_model_and_leaves_no_thread(peer: Peer) -> None:
    before = set(threading.enumerate())
    endless = generation(peer, peer.context(), max_new_tokens=4000)
    pieces = endless.pieces()
    assert next(pieces) == " on"
    pieces.close()
    assert set(threading.enumerate()) <= before
    # One was read, so many may be ahead, and one more may have been on its way.
    assert endless.answer()["usage"]["completion_tokens"] <= 1 + 16 + 1


def test_stream_that_nobody_begins_to_read_costs_nothing(peer: Peer) -> None:
    before = set(threading.enumerate())
    peer.stream("generate", model_id="m", prompt=ENDLESS).close()
    assert set(threading.enumerate()) <= before


def test_many_at_once_on_one_model_give_what_one_gives(peer: Peer) -> None:
    together = threading.Barrier(8)

    def work(number: int) -> list[str]:
        together.wait(BOUND)
        plain = [peer.call("generate", model_id="m", prompt="Hello?")["text"] for _ in range(5)]
        return [*plain, peer.streamed("generate", model_id="m", prompt="Hello?")[1]["text"]]

    with ThreadPoolExecutor(8) as executor:
        assert list(executor.map(work, range(8))) == [[SAYS] * 6] * 8


def test_texts_stay_the_same_while_another_model_is_loaded(peer: Peer, tmp_path: Path) -> None:
    other = make_model(tmp_path, dtype=torch.bfloat16)
    loaded = threading.Event()

    def work() -> set[str]:
        texts = {peer.call("generate", model_id="m", prompt="Hello?")["text"]}
        while not loaded.is_set():
            texts.add(peer.call("generate", model_id="m", prompt="Hello?")["text"])
        return texts

    with ThreadPoolExecutor(1) as executor:
        working = executor.submit(work)
        for _ in range(10):
            peer.call("load_model", model=other)
        loaded.set()
        assert working.result(BOUND) == {SAYS}
