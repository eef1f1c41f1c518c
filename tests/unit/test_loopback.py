"""A worker in the test's own process leaves nothing running, and says nothing, when it ends."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import pytest

from bridge_core import FrameworkInfo, Register, hookimpl
from bridge_core.testing import loopback


@hookimpl
def bridge_framework_info() -> FrameworkInfo:
    return FrameworkInfo(name="tiny", distribution="tiny", version="0.1.0", imports=("json",))


@hookimpl
def bridge_register_handlers(register: Register) -> None:
    register("double", double)


def double(*, value: int) -> int:
    """Return twice the value."""
    return 2 * value


TINY = SimpleNamespace(
    BRIDGE_HOOK_API=1,
    bridge_framework_info=bridge_framework_info,
    bridge_register_handlers=bridge_register_handlers,
)


@pytest.mark.parametrize("shut_down", [True, False])
def test_loopback_ends_quietly_with_all_its_threads(shut_down: bool, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(10):
        with loopback(TINY, name="tiny") as client:
            assert client.run("tiny.double", {"value": 2}) == 4
            assert client.run("tiny.double", {"value": 2}, session_id="may expire") == 4
            if shut_down:
                client.run("shutdown")
        assert not [one for one in threading.enumerate() if one.name in ("bridge-reader", "bridge-sweeper")]
    assert not [record for record in caplog.records if record.name.startswith("bridge_core")]
