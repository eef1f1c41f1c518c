"""A hundred thousand calls leave a worker as large as it was."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from bridges import opened

from bridge_core import Bridge

ROUNDS, WARM = 125, 25
POLICY = {"allow": ["probe_library", "json"]}
Calls = list[tuple[str, dict[str, Any]]]


def calls(number: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield 700 calls: objects that are made, used and released, and what goes wrong."""
    for index in range(100):
        name = f"{number}-{index}"
        yield "call", {"target": "probe_library.Account", "args": ["Ada", index], "store_as": name}
        yield "call", {"target": f"stored.{name}.pay", "args": [1]}
        yield "call", {"target": "probe_library.broken", "args": [name]}
        yield "call", {"target": "os.system", "args": ["true"]}
        yield "pipeline", {"rollback": True, "steps": [
            {"target": "probe_library.Account", "args": ["Bob"], "store_as": f"{name}-b"},
            {"target": "probe_library.accounts", "args": ["x"]},
            {"target": "json.loads", "args": ["{"]},
        ]}  # fmt: skip
        yield "inspect", {"target": f"stored.{name}"}
        yield "delete_stored", {"id": name}


def resident(bridge: Bridge) -> int:
    """Return the worker's resident memory in KiB: that of the guardian's child."""
    guardian = bridge.pids()["probe"]
    (worker,) = Path(f"/proc/{guardian}/task/{guardian}/children").read_text().split()
    status = Path(f"/proc/{worker}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0])


@pytest.mark.capability("I03", "E09")
def test_memory_is_flat_over_a_hundred_thousand_calls() -> None:
    with opened(policy=POLICY) as bridge:
        sizes = []
        for number in range(ROUNDS):
            with bridge.session() as session:
                outcomes = session.batch(calls(number))
                ada = session.call("probe_library.Account", "Ada", store_as="ada")
                dumped = [session.call("json.dumps", [ada.item("owner"), index]) for index in range(99)]
                left = session.call("probe_library.accounts", "left", "behind")
            failed = [one for one in outcomes if isinstance(one, Exception)]
            assert len(outcomes) == 700
            assert len(failed) == 300, failed[0]  # one raises, one is not allowed, one pipeline is rolled back
            assert dumped[7] == '["Ada", 7]'
            assert left["count"] == 2
            sizes.append(resident(bridge))
        assert bridge.run("ping")["stored_objects"] == 0
        grown = max(sizes[-10:]) - max(sizes[:WARM])
        assert grown < 2048, f"grew by {grown} KiB in {ROUNDS - WARM} rounds of 801 calls: {sizes[::10]}"
        assert len(os.listdir(f"/proc/{bridge.pids()['probe']}/fd")) < 32
