"""What a hostile peer tries with DSPy: nothing is open but what the plugin vouches for or the operator allows."""

from __future__ import annotations

from typing import Any

import pytest
from unit.calls.desk import VERBS, Desk

from bridge_core.errors import BridgeError
from bridge_dspy import plugin

pytestmark = [pytest.mark.capability("K07")]

NOT_ALLOWED = {"TARGET_NOT_ALLOWED"}

NAMED = """
dspy.os.system dspy.LocalInterpreter dspy.PythonInterpreter dspy.LocalSandbox dspy.CodeAct dspy.ProgramOfThought
dspy.Module dspy.Module.load dspy.load dspy.Predict.load dspy.Predict.forward dspy.Predict.load_state dspy.Predict.mro
dspy.Predict.dump_state dspy.Tool dspy.ReAct dspy.Signature dspy.make_signature dspy.InputField dspy.settings
dspy.settings.load dspy.settings.lm dspy.context dspy.track_usage dspy.Example.save dspy.Example.from_dict
dspy.Prediction.from_completions dspy.History.parse_raw dspy.History.parse_file dspy.History.model_validate
dspy.History.model_construct dspy.History.construct dspy.primitives.python_interpreter.PythonInterpreter
dspy.utils.os.system dspy.predict.predict.Predict dspy.clients.lm.LM dspy.LM.forward dspy.LM.load dspy.LM.__init__
dspy.configure_cache dspy.cache dspy.asyncify dspy.streamify dspy.Predict.__init__ dspy.Predict.signature
dspy.Embedder dspy.Retrieve dspy.ColBERTv2 dspy.litellm.completion dspy.BaseLM dspy.evaluate dspy.teleprompt
bridge_dspy.plugin.os.system bridge_dspy._dynamic.run
"""
STORED = """
stored.lm stored.lm.kwargs stored.lm.forward stored.lm.history stored.lm.api_key stored.lm.__call__ stored.lm.model
stored.predict.load stored.predict.forward stored.predict.signature stored.predict.lm stored.predict.demos
stored.predict.save stored.predict.dump_state stored.predict.set_lm stored.predict.get_lm stored.predict.callbacks
stored.example.__class__ stored.example._store stored.history.parse_raw stored.history.__dict__
stored.history.model_copy stored.history.model_config.get.x stored.history.model_validate_json stored.signature
stored.signature.instructions stored.interpreter stored.interpreter.execute stored.prediction.set_lm_usage
"""


def objects() -> dict[str, Any]:
    import dspy

    interpreter = getattr(dspy, "LocalInterpreter", None) or dspy.PythonInterpreter
    return {
        "lm": dspy.LM("openai/none", api_key="a key"),
        "predict": dspy.Predict("question -> answer"),
        "example": dspy.Example(a=1),
        "prediction": dspy.Prediction(a=1),
        "history": dspy.History(messages=[]),
        "signature": dspy.Signature("question -> answer"),
        "interpreter": interpreter,
    }


def desk_with(**policy: Any) -> Desk:
    desk = Desk(plugin, **policy)
    for key, value in objects().items():
        desk.keep(key, value)
    return desk


def test_plugin_opens_nothing_but_what_it_vouches_for() -> None:
    desk = desk_with()
    tried = {target: {desk.tried(verb, target) for verb in VERBS[:4]} for target in f"{NAMED} {STORED}".split()}
    assert {target: reasons for target, reasons in tried.items() if reasons != NOT_ALLOWED} == {}


def test_pickles_stay_closed_and_inherited_methods_work_when_the_operator_allows_dspy() -> None:
    desk = desk_with(allow=["dspy"])
    for target in (
        "dspy.History.parse_raw",
        "dspy.History.parse_file",
        "dspy.Signature.parse_raw",
        "dspy.utils.os.system",
    ):
        assert {desk.tried(verb, target) for verb in VERBS[:4]} == NOT_ALLOWED, target
    for target in ("stored.history.parse_raw", "stored.signature.parse_file", "stored.signature.mro"):
        assert {desk.tried(verb, target) for verb in VERBS[:4]} == NOT_ALLOWED, target
    assert desk.call("stored.history.model_dump") == {"messages": []}
    assert desk.call("stored.signature.model_json_schema")["properties"].keys() == {"question", "answer"}
    assert desk.call("stored.signature.instructions")
    assert desk.call("dspy.Example", a=1).a == 1


@pytest.mark.parametrize(
    "signature", ["x: os.path -> y", "x: dspy.os -> y", "x -> y: __import__('os')", {"inputs": {"x": "os.path"}}]
)
def test_signature_that_names_a_module_is_refused(signature: Any) -> None:
    desk = desk_with()
    for target in ("dspy.Predict", "dspy.ChainOfThought"):
        assert desk.tried("call", target, signature) == "INVALID_ARGUMENTS"


def test_program_is_only_run_with_inputs() -> None:
    desk = desk_with()
    for given in ({"signature": "x: os.path -> y"}, {"lm": {"$ref": "lm"}}, {"demos": []}, {"config": {}}):
        for target, args in (("stored.predict", []), ("dspy.Predict.__call__", [{"$ref": "predict"}])):
            with pytest.raises(BridgeError) as caught:
                desk.ask("call", target=target, args=args, kwargs={"question": "?", **given})
            assert caught.value.reason in ("INVALID_ARGUMENTS", "TARGET_NOT_ALLOWED"), given
    for other in ("example", "history", "prediction"):
        assert desk.tried("call", "dspy.Predict.__call__", {"$ref": other}) not in ("OK", "INTERNAL")
