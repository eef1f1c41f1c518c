"""The suite that every framework plugin has to pass."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from bridge_core._distributions import installed_plugins
from bridge_core.client import BlockingClient
from bridge_core.errors import BridgeError
from bridge_core.transports import WorkerProcess

__all__ = ["PluginConformance"]

_BOUND = 60.0


class PluginConformance:
    """Subclass it in a test module, name the framework, and pytest runs the suite against a real worker.

        class TestFoo(PluginConformance):
            framework = "foo"

    The plugin must be installed, or its distribution be on PYTHONPATH. Mark a test as expected to fail, with the
    reason, if you must; do not override it.
    """

    framework: str

    def _worker(self) -> BlockingClient:
        return BlockingClient(WorkerProcess(["--framework", self.framework]))

    def _described(self) -> dict[str, Any]:
        with self._worker() as client:
            described: dict[str, Any] = client.run("describe", {"framework": self.framework}, timeout=_BOUND)
            client.run("shutdown")
        return described

    def test_it_is_found_by_exactly_one_entry_point(self) -> None:
        """If this fails: the distribution lacks an entry point in `bridge.plugins`, or two claim the name."""
        assert [one.name for one in installed_plugins()].count(self.framework) == 1

    def test_importing_the_plugin_does_not_import_its_framework(self) -> None:
        """If this fails: import the framework inside the functions that need it; `imports` names it for the worker."""
        code = (
            "import json, sys\n"
            "from bridge_core import PluginHost\n"
            f"host = PluginHost(allow=[{self.framework!r}], strict=True)\n"
            "host.discover()\n"
            f"imports = host.get({self.framework!r}).info.imports\n"
            "print(json.dumps([name for name in imports if name in sys.modules]))\n"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=_BOUND, check=False)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout.splitlines()[-1]) == []

    def test_a_worker_serves_it_and_ends_in_order(self) -> None:
        """If this fails: run `pybridge plugins --check`; its state column says why."""
        with self._worker() as client:
            assert client.run("ping", timeout=_BOUND)["frameworks_available"] == [self.framework]
            client.run("shutdown")
            assert client.close() == 0

    def test_every_operation_describes_itself(self) -> None:
        """If this fails: give each handler a one-line docstring and each parameter a type."""
        operations = self._described()["operations"]
        assert operations, "the plugin registers no operation"
        for operation in operations:
            assert operation["name"].startswith(f"{self.framework}.")
            assert operation["summary"]
            assert operation["arguments"]["type"] == "object"

    def test_unknown_arguments_are_refused(self) -> None:
        """If this fails: a handler takes `**extra`, so that a peer's misspelt argument goes unnoticed."""
        with self._worker() as client:
            for operation in client.run("describe", {"framework": self.framework})["operations"]:
                reason = _reason(client, operation["name"], {"no_such_argument_7": 1})
                assert reason == "INVALID_ARGUMENTS", operation["name"]

    def test_it_offers_the_common_program_verbs_whole_or_not_at_all(self) -> None:
        """If this fails: peers that drive programs of any framework need all five verbs, or none."""
        names = {operation["name"].partition(".")[2] for operation in self._described()["operations"]}
        verbs = {"create_program", "execute_program", "list_programs", "get_program", "delete_program"}
        assert names & verbs in (set(), verbs)

    def test_an_unknown_configuration_is_refused(self) -> None:
        """If this fails: bridge_configure ignores what it does not know; use parse_arguments."""
        with self._worker() as client:
            config = {"config": {"no_such_setting_7": 1}}
            assert _reason(client, "configure", config) in {
                "INVALID_CONFIG", "INVALID_ARGUMENTS", "FRAMEWORK_UNAVAILABLE",
            }  # fmt: skip


def _reason(client: BlockingClient, operation: str, arguments: dict[str, Any]) -> str | None:
    """Return why an operation was refused, None if it was not."""
    try:
        client.run(operation, arguments, timeout=_BOUND)
    except BridgeError as exc:
        return exc.reason
    return None
