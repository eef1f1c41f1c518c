"""Embeddings: what a model makes of texts, whatever their company, and what it refuses."""

from __future__ import annotations

import base64
import math
from typing import Any

import pytest
import torch
from transformers import AutoModel
from with_torch.calls import Peer
from with_torch.models import CONTEXT, ENCODER_CONTEXT

from bridge_core import BridgeError
from bridge_core.errors import CallTimeoutError, InvalidArgumentsError
from bridge_transformers._loaded import LoadedModel

pytestmark = [pytest.mark.capability("B05", "B10")]

TEXTS = ["ab", "another", "cd", "e", "another"]


@pytest.fixture
def peer(encoder: str) -> Peer:
    made = Peer()
    made.call("load_model", model=encoder, id="e", task="embeddings")
    return made


def embeddings(peer: Peer, texts: list[str], **arguments: Any) -> Any:
    return peer.call("embed", **{"model_id": "e", "texts": texts, **arguments})["embeddings"]


def states(peer: Peer, encoder: str, text: str) -> torch.Tensor:
    """Return what the model makes of each token of a text."""
    tokens = peer.sessions.get("a").objects.get("e").encode(text)
    with torch.no_grad():
        found: torch.Tensor = AutoModel.from_pretrained(encoder).eval()(torch.tensor([tokens])).last_hidden_state[0]
    return found


def test_text_becomes_the_mean_of_its_tokens(peer: Peer, encoder: str) -> None:
    answer = peer.call("embed", model_id="e", texts=["abc"])
    assert (answer["model_id"], answer["dimensions"]) == ("e", 8)
    assert answer["embeddings"] == [pytest.approx(states(peer, encoder, "abc").mean(0).tolist(), abs=1e-6)]


@pytest.mark.parametrize(("pooling", "token"), [("first", 0), ("last", -1)])
def test_one_token_may_stand_for_the_text(peer: Peer, encoder: str, pooling: str, token: int) -> None:
    expected = states(peer, encoder, "abc")[token].tolist()
    assert embeddings(peer, ["abc"], pooling=pooling) == [pytest.approx(expected, abs=1e-6)]


def test_texts_keep_their_order_and_do_not_change_each_other(peer: Peer) -> None:
    alone = [embeddings(peer, [text])[0] for text in TEXTS]
    assert embeddings(peer, TEXTS) == [pytest.approx(vector, abs=1e-6) for vector in alone]
    many = embeddings(peer, TEXTS * 50)
    assert many == [pytest.approx(vector, abs=1e-6) for vector in alone * 50]


def test_vectors_can_be_made_one_long(peer: Peer) -> None:
    assert [math.hypot(*vector) for vector in embeddings(peer, TEXTS, normalize=True)] == pytest.approx([1.0] * 5)


@pytest.mark.capability("B08")
def test_tensor_has_the_same_numbers_as_bytes(peer: Peer) -> None:
    tensor = embeddings(peer, TEXTS, form="tensor")
    tag: Any = peer.host.serialize(tensor, lambda data: base64.b64encode(data).decode(), first="transformers")  # type: ignore[arg-type]
    assert (tag["$type"], tag["dtype"], tag["shape"]) == ("tensor", "float32", [5, 8])
    read = torch.frombuffer(bytearray(base64.b64decode(tag["data"])), dtype=torch.float32).reshape(5, 8)
    assert read.tolist() == embeddings(peer, TEXTS)


def test_model_that_writes_can_embed_too(peer: Peer, directory: str) -> None:
    peer.call("load_model", model=directory, id="m")
    (vector,) = embeddings(peer, ["aab"], model_id="m")
    ids = peer.sessions.get("a").objects.get("m").encode("ab")
    assert {number for number, value in enumerate(vector) if value} == set(ids)
    assert vector[ids[0]] == pytest.approx(2 * vector[ids[1]])


@pytest.mark.parametrize(
    ("arguments", "path"),
    [
        ({"texts": []}, "$.texts"),
        ({"texts": ["a", ""]}, "$.texts[1]"),
        ({"texts": "a"}, "$.texts"),
        ({"texts": ["a"], "pooling": "best"}, "$.pooling"),
        ({"texts": ["a"], "form": "csv"}, "$.form"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(peer: Peer, arguments: dict[str, Any], path: str) -> None:
    with pytest.raises(InvalidArgumentsError) as caught:
        peer.call("embed", model_id="e", **arguments)
    assert caught.value.details["path"] == path


def test_text_of_which_the_model_knows_nothing_is_named(peer: Peer) -> None:
    class Deaf:
        def encode(self, text: str, **options: Any) -> list[int]:
            return []

    deaf = LoadedModel(None, Deaf(), task="embeddings", directory="", context_length=None)
    peer.sessions.get("a").objects.put(deaf, kind="transformers.model", id="deaf")
    with pytest.raises(InvalidArgumentsError) as caught:
        embeddings(peer, ["\u200b"], model_id="deaf")
    assert caught.value.details["path"] == "$.texts[0]"


def test_text_that_is_too_long_is_named(peer: Peer) -> None:
    with pytest.raises(BridgeError) as caught:
        embeddings(peer, ["short", "x" * (ENCODER_CONTEXT + 1)])
    assert caught.value.reason == "TRANSFORMERS_CONTEXT_EXCEEDED"
    assert caught.value.details == {"path": "$.texts[1]", "tokens": ENCODER_CONTEXT + 1, "limit": ENCODER_CONTEXT}


def test_model_that_writes_has_its_own_limit(peer: Peer, directory: str) -> None:
    peer.call("load_model", model=directory, id="m")
    with pytest.raises(BridgeError) as caught:
        embeddings(peer, ["x" * (CONTEXT + 1)], model_id="m")
    assert caught.value.details["limit"] == CONTEXT


def test_more_numbers_than_a_message_may_have_are_refused(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bridge_transformers._embeddings._MAX_NUMBERS", 3 * 8)
    assert len(embeddings(peer, ["a"] * 3)) == 3
    with pytest.raises(InvalidArgumentsError) as caught:
        embeddings(peer, ["a"] * 4)
    assert caught.value.details["path"] == "$.texts"
    assert embeddings(peer, ["a"] * 4, form="tensor").shape == (4, 8)


def test_embedding_ends_at_the_deadline(peer: Peer) -> None:
    ctx = peer.context(deadline=0.0)
    with pytest.raises(CallTimeoutError):
        peer.call("embed", ctx=ctx, model_id="e", texts=TEXTS)
