"""A hostile peer and a real worker: everything is refused over the wire too, nothing is left, and serving goes on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from peer import PLUGINS, Peer

TESTS = Path(__file__).parents[1]
POLICY = {"allow": ["attacked", "json", "os.path"], "deny": ["attacked.double"]}

ATTACKS = """
os.system dspy.os.system dspy.LocalInterpreter json.codecs.builtins.eval importlib.import_module subprocess.run
attacked.os.system attacked.system attacked.Popen attacked.run_later attacked.remembered attacked.environ
attacked.double attacked.Shape.mro attacked.Shape.launch attacked.inner.danger attacked.log.info os.path.os.system
stored.x.__class__.__mro__ stored.x.__init__.__globals__ stored.x.area.__self__ stored.x.area.__func__ stored.x._hidden
stored.x.os stored.x.module stored.x.run stored.x.later stored.x.forged stored.x.say stored.x.walk stored.text.format
stored.error.__traceback__ stored.list.__class__ json.\uff44umps json.dumps\u200b json.\uff3f\uff3fdict\uff3f\uff3f
"""


@pytest.fixture(scope="module")
def peer() -> Iterator[Peer]:
    config = json.dumps({"policy": POLICY})
    with Peer("--framework", "probe", "--config", config, folders=(PLUGINS, TESTS)) as running:
        running.result("call", {"target": "attacked.Shape", "store_as": "x"})
        running.result("call", {"target": "attacked.Text", "args": ["{0.__class__}"], "store_as": "text"})
        running.result("call", {"target": "attacked.failed", "store_as": "error"})
        running.result("store", {"id": "list", "value": [1]})
        yield running


@pytest.mark.capability("K07")
def test_attack_is_refused_over_the_wire_and_serving_goes_on(peer: Peer) -> None:
    before = peer.result("ping")["stored_objects"]
    for target in [*ATTACKS.split(), "json.dumps\0", "json.dumps\n", "json\n.dumps"]:
        for command, arguments in (
            ("call", {"target": target}),
            ("call", {"target": target, "attribute": True, "store_as": "stolen"}),
            ("inspect", {"target": target}),
            ("pipeline", {"steps": [{"target": target, "store_as": "stolen"}]}),
        ):
            assert peer.reason(command, arguments) == "TARGET_NOT_ALLOWED", (command, target)
    assert peer.result("ping")["stored_objects"] == before
    assert peer.result("call", {"target": "stored.x.area"})["result"] == 4


@pytest.mark.capability("K07")
def test_container_with_modules_and_callables_hands_out_descriptions_and_nothing_to_use(peer: Peer) -> None:
    handlers = peer.result("call", {"target": "attacked.handlers"})["result"]
    assert handlers["text"] == "text"
    for name in ("run", "open", "module"):
        got = handlers[name]["$ref"]
        for command, arguments in (
            ("call", {"target": f"stored.{got}"}),
            ("call", {"target": f"stored.{got}.__call__"}),
            ("inspect", {"target": f"stored.{got}"}),
            ("call", {"target": "attacked.applied", "args": [handlers[name], "true"]}),
            ("call", {"target": "attacked.applied", "args": [f"stored.{got}", "true"]}),
            ("store", {"id": "again", "value": {"$ref": got}}),
            ("set_attribute", {"target": "stored.x.size", "value": {"$ref": got}}),
            ("set_attribute", {"target": f"stored.{got}.x", "value": 1}),
        ):
            assert peer.reason(command, arguments) == "TARGET_NOT_ALLOWED", (command, arguments)


@pytest.mark.capability("E20")
def test_long_target_is_refused_and_not_repeated(peer: Peer) -> None:
    for target in ("a." * 100_000, "stored." + "a." * 100_000, "stored.x." + "a" * 100_000):
        for command, arguments in (
            ("call", {"target": target}),
            ("inspect", {"target": target}),
            ("pipeline", {"steps": [{"target": target}]}),
            ("set_attribute", {"target": target + ".x", "value": 1}),
        ):
            answer = peer.ask(command, arguments)
            assert answer["error_info"]["reason"] == "BAD_TARGET"
            assert len(json.dumps(answer)) < 5000
