"""DSPy by dynamic calls: what its plugin vouches for, and what it refuses, without any configuration."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from peer import Peer

SAID = "The embedded model only echoes question: Where?"
STEPS: list[dict[str, Any]] = [
    {"target": "dspy.LM", "args": ["embedded"], "store_as": "lm"},
    {"target": "dspy.configure", "kwargs": {"lm": {"$ref": "lm"}}},
    {"target": "dspy.Predict", "args": ["question -> answer"], "store_as": "qa"},
    {"target": "stored.qa.__call__", "kwargs": {"question": "Where?"}, "store_as": "prediction"},
    {"target": "stored.prediction.answer"},
]


@pytest.fixture(scope="module")
def peer() -> Iterator[Peer]:
    with Peer("--framework", "dspy", folders=()) as running:
        yield running


def refused(peer: Peer, target: str, session: str, *args: Any, **kwargs: Any) -> str:
    return peer.reason("call", {"target": target, "args": list(args), "kwargs": kwargs}, session_id=session)


@pytest.mark.capability("E10")
def test_pipeline_from_a_language_model_to_an_answer(peer: Peer) -> None:
    results = peer.result("pipeline", {"steps": STEPS}, session_id="pipeline")["pipeline_results"]
    assert [one["stored_as"] for one in results] == ["lm", None, "qa", "prediction", None]
    assert results[-1]["result"] == SAID


@pytest.mark.capability("C10")
@pytest.mark.parametrize("session", ["made by an operation", "made by a call"])
def test_operations_and_dynamic_calls_have_their_programs_in_common(peer: Peer, session: str) -> None:
    peer.result("configure", {"config": {"model": "embedded"}}, session_id=session)
    if session == "made by an operation":
        peer.result("dspy.create_program", {"id": "qa", "signature": "question -> answer"}, session_id=session)
    else:
        call = {"target": "dspy.Predict", "args": ["question -> answer"], "store_as": "qa"}
        peer.result("call", call, session_id=session)
    executed = peer.result(
        "dspy.execute_program", {"program_id": "qa", "inputs": {"question": "Where?"}}, session_id=session
    )
    assert executed["outputs"] == {"answer": SAID}
    called = peer.result("call", {"target": "stored.qa.__call__", "kwargs": {"question": "Where?"}}, session_id=session)
    assert called["result"]["fields"] == {"answer": SAID}
    assert peer.result("dspy.list_programs", session_id=session)["programs"][0]["program_id"] == "qa"
    assert peer.result("dspy.get_program", {"program_id": "qa"}, session_id=session)["program_type"] == "predict"
    assert peer.result("dspy.delete_program", {"program_id": "qa"}, session_id=session)["status"] == "deleted"
    assert refused(peer, "stored.qa.__call__", session, question="Where?") == "REF_NOT_FOUND"


@pytest.mark.capability("C10")
def test_object_that_is_no_program_is_none_for_the_operations(peer: Peer) -> None:
    session = {"session_id": "no program"}
    peer.result("store", {"id": "text", "value": "no program"}, **session)
    for operation in ("dspy.get_program", "dspy.delete_program"):
        assert peer.reason(operation, {"program_id": "text"}, **session) == "PROGRAM_NOT_FOUND"
    assert peer.result("dspy.list_programs", **session) == {"programs": [], "count": 0}
    assert peer.result("retrieve", {"id": "text"}, **session)["object"] == "no program"


@pytest.mark.sentence("P-115")
def test_configuring_by_a_call_configures_this_session_only(peer: Peer) -> None:
    answer = peer.result("call", {"target": "dspy.configure", "kwargs": {"model": "embedded"}}, session_id="configured")
    assert answer["configured"] == "dspy"
    assert answer["result"]["model"] == "embedded"
    for session in ("configured", "other"):
        peer.result("dspy.create_program", {"id": "qa", "signature": "question -> answer"}, session_id=session)
    run = {"program_id": "qa", "inputs": {"question": "Where?"}}
    assert peer.result("dspy.execute_program", run, session_id="configured")["outputs"] == {"answer": SAID}
    assert peer.reason("dspy.execute_program", run, session_id="other") == "NOT_CONFIGURED"
    assert refused(peer, "stored.qa", "other", question="Where?") == "NOT_CONFIGURED"


@pytest.mark.sentence("P-115")
@pytest.mark.parametrize(
    ("args", "kwargs", "reason"),
    [
        (["embedded"], {}, "INVALID_ARGUMENTS"),
        ([], {"lm": "embedded"}, "INVALID_ARGUMENTS"),
        ([], {"lm": {"$ref": "nothing"}}, "REF_NOT_FOUND"),
        ([], {"lm": {"$ref": "lm"}, "adapter": None}, "INVALID_ARGUMENTS"),
        ([], {"adapter": None}, "INVALID_ARGUMENTS"),
        ([], {}, "INVALID_ARGUMENTS"),
    ],
)
def test_configuration_by_a_call_is_as_strict_as_configure(
    peer: Peer, args: list[Any], kwargs: dict[str, Any], reason: str
) -> None:
    session = f"strict {args} {kwargs}"
    peer.result("call", {"target": "dspy.LM", "args": ["embedded"], "store_as": "lm"}, session_id=session)
    assert refused(peer, "dspy.configure", session, *args, **kwargs) == reason


@pytest.mark.capability("K10")
def test_configuration_by_a_call_may_refer_to_secrets() -> None:
    key = "sk-canary-4711-0815"
    config = '{"secrets": {"env": ["CANARY"]}}'
    kwargs: dict[str, Any] = {
        "model": "openai/none",
        "api_base": "http://127.0.0.1:9/v1",
        "api_key": {"$env": "CANARY"},
    }
    with Peer("--framework", "dspy", "--config", config, folders=(), environment={"CANARY": key}) as peer:
        answer = peer.ask("call", {"target": "dspy.configure", "kwargs": kwargs})
        assert answer["result"]["configured"] == "dspy"
        assert key not in str(answer)
        kwargs["api_key"] = {"$env": "HOME"}
        assert peer.reason("call", {"target": "dspy.configure", "kwargs": kwargs}) == "SECRET_NOT_ALLOWED"
        elsewhere = {"target": "dspy.Example", "kwargs": {"base": {"$env": "CANARY"}}}
        assert peer.reason("call", elsewhere) == "INVALID_ARGUMENTS"


def test_calls_run_with_the_language_model_of_their_session(peer: Peer) -> None:
    peer.result("pipeline", {"steps": STEPS[:3]}, session_id="with a model")
    peer.result("call", {**STEPS[2]}, session_id="without a model")
    assert refused(peer, "stored.qa", "without a model", question="Where?") == "NOT_CONFIGURED"
    called = peer.result("call", {"target": "stored.qa", "kwargs": {"question": "Where?"}}, session_id="with a model")
    assert called["result"]["fields"] == {"answer": SAID}


def test_chain_of_thought_is_called_alike(peer: Peer) -> None:
    steps = [*STEPS[:2], {**STEPS[2], "target": "dspy.ChainOfThought"}, STEPS[3]]
    prediction = peer.result("pipeline", {"steps": steps}, session_id="thoughts")["pipeline_results"][-1]
    assert prediction["result"]["$ref"] == "prediction"
    assert peer.result("retrieve", {"id": "prediction"}, session_id="thoughts")["object"]["fields"].keys() == {
        "reasoning",
        "answer",
    }


@pytest.mark.capability("K07")
@pytest.mark.parametrize(
    ("target", "args", "kwargs", "reason"),
    [
        ("dspy.Predict", ["a: this.s -> b"], {}, "INVALID_ARGUMENTS"),
        ("dspy.ChainOfThought", ["a: this.s -> b"], {}, "INVALID_ARGUMENTS"),
        ("dspy.Predict", [7], {}, "INVALID_ARGUMENTS"),
        ("stored.qa", [], {"question": "?", "signature": "a: this.s -> b"}, "INVALID_ARGUMENTS"),
        ("stored.qa", [], {"question": "?", "config": {"temperature": 1}}, "INVALID_ARGUMENTS"),
        ("stored.qa.forward", [], {"question": "?"}, "TARGET_NOT_ALLOWED"),
        ("stored.qa.save", ["/tmp/never"], {}, "TARGET_NOT_ALLOWED"),
        ("stored.qa.load", ["/tmp/never.pkl"], {}, "TARGET_NOT_ALLOWED"),
        ("stored.qa.load_state", [{}], {}, "TARGET_NOT_ALLOWED"),
        ("stored.qa.predict", [], {}, "TARGET_NOT_ALLOWED"),
        ("stored.lm.kwargs", [], {}, "TARGET_NOT_ALLOWED"),
        ("stored.lm.launch", [], {}, "TARGET_NOT_ALLOWED"),
        ("stored.lm", ["prompt"], {}, "TARGET_NOT_ALLOWED"),
        ("dspy.LM", ["embedded"], {"engine": "litellm"}, "INVALID_ARGUMENTS"),
        ("dspy.History.parse_raw", ["x"], {}, "TARGET_NOT_ALLOWED"),
        ("stored.history.parse_raw", ["x"], {"proto": "pickle", "allow_pickle": True}, "TARGET_NOT_ALLOWED"),
        ("stored.history.model_construct", [], {}, "TARGET_NOT_ALLOWED"),
        ("dspy.LocalInterpreter", [], {}, "TARGET_NOT_ALLOWED"),
        ("dspy.PythonInterpreter", [], {}, "TARGET_NOT_ALLOWED"),
        ("dspy.ProgramOfThought", ["a -> b"], {}, "TARGET_NOT_ALLOWED"),
        ("dspy.load", ["/tmp/never"], {}, "TARGET_NOT_ALLOWED"),
        ("dspy.os.system", ["true"], {}, "TARGET_NOT_ALLOWED"),
        ("dspy.predict.predict.Predict", ["a -> b"], {}, "TARGET_NOT_ALLOWED"),
        ("dspy.settings", [], {}, "TARGET_NOT_ALLOWED"),
        ("dspy.settings.lm", [], {}, "TARGET_NOT_ALLOWED"),
        ("dspy.context", [], {}, "TARGET_NOT_ALLOWED"),
    ],
)
def test_what_would_run_code_or_open_files_is_not_vouched_for(
    peer: Peer, target: str, args: list[Any], kwargs: dict[str, Any], reason: str
) -> None:
    session = f"{target} {args} {kwargs}"
    peer.result("pipeline", {"steps": STEPS[:3]}, session_id=session)
    history = {"target": "dspy.History", "kwargs": {"messages": []}, "store_as": "history"}
    peer.result("call", history, session_id=session)
    assert refused(peer, target, session, *args, **kwargs) == reason


def test_records_are_made_read_and_copied(peer: Peer) -> None:
    steps = [
        {"target": "dspy.Example", "kwargs": {"question": "a", "answer": "b"}, "store_as": "example"},
        {"target": "stored.example.with_inputs", "args": ["question"], "store_as": "marked"},
        {"target": "stored.marked.inputs", "store_as": "inputs"},
        {"target": "stored.inputs.toDict"},
        {"target": "stored.example.answer"},
        {"target": "stored.example.keys"},
    ]
    results = peer.result("pipeline", {"steps": steps}, session_id="records")["pipeline_results"]
    assert [one["result"] for one in results[3:]] == [{"question": "a"}, "b", ["question", "answer"]]


def test_operator_who_allows_dspy_gets_dspy_itself() -> None:
    with Peer("--framework", "dspy", "--config", '{"policy": {"allow": ["dspy"]}}', folders=()) as peer:
        assert peer.result("inspect", {"target": "dspy.Predict"})["inspection"]["module"] == "dspy.predict.predict"
        peer.result("call", {"target": "dspy.Predict", "args": ["question -> answer"], "store_as": "qa"})
        schema = {"target": "stored.qa.signature.model_json_schema"}  # inherited of pydantic
        assert peer.result("call", schema)["result"]["properties"].keys() == {"question", "answer"}
        assert peer.reason("call", {"target": "stored.qa.signature.parse_raw", "args": ["x"]}) == "TARGET_NOT_ALLOWED"
        assert peer.reason("call", {"target": "stored.qa.signature.mro"}) == "TARGET_NOT_ALLOWED"


def test_field_that_looks_like_a_reference_is_not_taken_for_one(peer: Peer) -> None:
    call = {"target": "dspy.Example", "kwargs": {"base": {"$value": {"$ref": "abc"}}}}
    assert peer.result("call", call, session_id="fields")["result"]["fields"] == {
        "$type": "dict",
        "pairs": [["$ref", "abc"]],
    }


@pytest.mark.sentence("P-115")
def test_settings_that_were_stored_configure_this_session_only() -> None:
    with Peer("--framework", "dspy", "--config", '{"policy": {"allow": ["dspy"]}}', folders=()) as peer:
        peer.result("call", {"target": "dspy.settings", "attribute": True, "store_as": "s"})
        answer = peer.result("call", {"target": "stored.s.configure", "kwargs": {"model": "embedded"}})
        assert answer["configured"] == "dspy"
        assert (
            peer.reason("call", {"target": "stored.s.configure", "kwargs": {"max_errors": 77}}) == "INVALID_ARGUMENTS"
        )
