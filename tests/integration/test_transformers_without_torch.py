"""What users see who have installed bridge-transformers without its extra: nothing here has torch."""

from __future__ import annotations

import json
from importlib.util import find_spec

import pytest
from integration.shell import pybridge
from peer import Peer

REMEDY = "pip install 'bridge-transformers[torch]'"


def test_there_is_no_torch_here() -> None:
    assert find_spec("torch") is None
    assert find_spec("transformers") is not None


@pytest.mark.capability("B05")
def test_every_operation_says_what_is_missing_and_how_to_get_it() -> None:
    with Peer("--framework", "transformers", folders=()) as worker:
        for operation, arguments in (
            ("load_model", {"model": "/models/tiny"}),
            ("generate", {"model_id": "m", "prompt": "?"}),
            ("list_models", {}),
        ):
            answer = worker.ask(f"transformers.{operation}", arguments)
            assert answer["error_info"]["reason"] == "FRAMEWORK_UNAVAILABLE"
            assert answer["error_info"]["details"]["module"] == "torch"
            assert REMEDY in answer["error"]


@pytest.mark.capability("B05")
def test_wrong_arguments_are_refused_all_the_same() -> None:
    with Peer("--framework", "transformers", folders=()) as worker:
        assert worker.reason("transformers.generate", {"model_id": "m"}) == "INVALID_ARGUMENTS"
        described = worker.result("describe", {"operation": "transformers.generate"})
        assert described["streaming"]


def test_doctor_finds_it_before_anything_is_tried() -> None:
    looked = json.loads(pybridge("doctor", "--json").out)
    (found,) = [one for one in looked if one["what"] == "framework transformers"]
    assert (found["state"], found["remedy"]) == ("broken", REMEDY)
