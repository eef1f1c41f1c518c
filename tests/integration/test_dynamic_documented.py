"""docs/reference/dynamic-calls.md says what a worker really takes and answers."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from peer import Peer

from bridge_core.calls import PipelineStep
from bridge_core.config import PolicySettings, read_configuration
from bridge_core.errors import REASONS
from contract.documents import Block, blocks
from contract.sources import ROOT
from contract.tables import rows

PAGE = ROOT / "docs/reference/dynamic-calls.md"
CODE = re.compile(r"`([a-z_]+)`")
# What makes each of the operations answer.
ASKED: dict[str, dict[str, Any]] = {
    "call": {"target": "json.dumps", "args": [1]},
    "store": {"id": "documented", "value": 1},
    "retrieve": {"id": "kept"},
    "list_stored": {},
    "delete_stored": {"id": "kept"},
    "set_attribute": {"target": "stored.account.balance", "value": 1},
    "pipeline": {"steps": []},
    "inspect": {"target": "json.dumps"},
    "clear_session": {},
}


@pytest.fixture(scope="module")
def peer() -> Iterator[Peer]:
    with Peer("--framework", "probe", "--config", '{"policy": {"allow": ["json", "probe_library"]}}') as running:
        yield running


def operations() -> dict[str, tuple[str, str]]:
    """Return the cells about arguments and about answers, by operation."""
    table = {row[0]: (row[1], row[2]) for row in rows(PAGE) if len(row) == 3}
    return {name: table[name] for name in ASKED}


def block(language: str, containing: str) -> Block:
    (found,) = [one for one in blocks(PAGE) if one.language == language and containing in one.text]
    return found


@pytest.mark.parametrize("name", sorted(ASKED))
def test_table_lists_the_arguments_and_the_answer_of_each_operation(peer: Peer, name: str) -> None:
    taken, answered = operations()[name]
    schema = peer.result("describe", {"operation": name})["arguments"]
    assert set(CODE.findall(f"`{taken}`")) - {""} == set(schema.get("properties", {}))
    session = {"session_id": name}
    peer.result("store", {"id": "kept", "value": 1}, **session)
    peer.result("call", {"target": "probe_library.Account", "args": ["Ada"], "store_as": "account"}, **session)
    assert set(CODE.findall(f"`{answered}`")) == set(peer.result(name, ASKED[name], **session))


def test_steps_of_a_pipeline_take_what_the_page_says() -> None:
    text = " ".join(PAGE.read_text("utf-8").split())
    own = set(PipelineStep.__struct_fields__) - set(operations()["call"][0].replace("`", "").split(", "))
    assert own == {"timeout_ms", "omit"}
    assert all(f"* `{name}" in text for name in own)


def test_pipeline_of_the_page_is_one() -> None:
    request = json.loads(block("json", '"pipeline"').text)
    steps = msgspec.convert(request["args"]["steps"], list[PipelineStep])
    assert [step.store_as for step in steps] == ["sales", "clean", "means", None]


def test_policy_is_described_whole_and_its_example_can_be_read() -> None:
    described = {row[0].partition(" = ")[0] for row in rows(PAGE) if len(row) == 2}
    assert set(PolicySettings.__struct_fields__) <= described
    assert "pandas.read_pickle" in _read(block("toml", "[policy]")).deny


def test_reasons_of_the_page_exist() -> None:
    named = set(re.findall(r"`([A-Z]+_[A-Z_]+)`", PAGE.read_text("utf-8")))
    assert {"TARGET_NOT_ALLOWED", "REF_EXISTS"} <= named
    assert named <= set(REASONS)


def _read(example: Block) -> PolicySettings:
    with tempfile.NamedTemporaryFile("w", suffix=".toml", encoding="utf-8") as file:
        file.write(example.text)
        file.flush()
        return read_configuration(file.name).policy
