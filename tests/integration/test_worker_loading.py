"""A broken plugin is one record, not the end of the others."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from peer import PLUGINS, Message, Peer

pytestmark = [pytest.mark.capability("E15")]

BROKEN = PLUGINS.with_name("plugins_broken")
STAGES = {
    "import_error": "import",
    "import_exit": "import",
    "import_mute": "import",
    "wrong_api": "hook_api",
    "no_api": "hook_api",
    "unknown_hook": "hooks",
    "unknown_parameter": "hooks",
    "no_handlers": "hooks",
    "wrong_name": "framework_info",
    "bad_signature": "handlers",
    "registered_twice": "handlers",
    "bad_environment": "environment",
}
GOOD = ["bad_shutdown", "banner", "exiting_framework", "no_framework", "probe"]


@pytest.fixture(scope="module")
def peer() -> Iterator[Peer]:
    folders = (PLUGINS, *(BROKEN / name for name in [*STAGES, *GOOD[:-1]]))
    environment = {"BRIDGE_PLUGINS": ",".join([*STAGES, *GOOD])}
    with Peer("--mode", "standalone", folders=folders, environment=environment) as running:
        yield running


@pytest.fixture
def failures(peer: Peer) -> dict[str, Message]:
    return {failure["name"]: failure for failure in peer.result("get_capabilities")["failures"]}


def alone(name: str, *flags: str) -> Peer:
    return Peer(*flags, folders=(BROKEN / name,), environment={"BRIDGE_PLUGINS": name})


@pytest.mark.parametrize("name", STAGES)
def test_plugin_that_cannot_be_used_is_a_record_that_says_where_it_failed(
    failures: dict[str, Message], name: str
) -> None:
    failure = failures[name]
    assert failure["stage"] == STAGES[name]
    assert failure["distribution"].replace("-", "_") == f"broken_{name}"
    assert failure["version"] == "0.1.0"
    assert failure["cause"]
    assert failure["remedy"]


def test_others_are_served_all_the_same(peer: Peer) -> None:
    assert peer.result("ping")["frameworks_available"] == GOOD
    assert peer.result("probe.echo", {"value": 1}) == 1
    assert peer.result("banner.greet", {"name": "you"}) == "Hello, you"


def test_banner_of_a_plugin_goes_to_the_log(peer: Peer) -> None:
    assert "welcome to the banner plugin\n" in peer.log()


@pytest.mark.parametrize("name", STAGES)
def test_calling_a_plugin_that_failed_says_why(peer: Peer, name: str) -> None:
    info = peer.ask(f"{name}.greet", {"name": "you"})["error_info"]
    assert info["reason"] == "PLUGIN_LOAD_FAILED"
    assert info["details"]["stage"] == STAGES[name]


def test_each_failure_is_one_line_in_the_log(peer: Peer) -> None:
    for name in STAGES:
        assert len([line for line in peer.log().splitlines() if f"plugin '{name}' (" in line]) == 1


@pytest.mark.sentence("P-42")
def test_name_that_several_frameworks_have_must_be_said_in_full(peer: Peer) -> None:
    assert peer.reason("greet", {"name": "you"}) == "AMBIGUOUS_OPERATION"
    assert peer.result("greet", {"name": "you"}, framework="banner") == "Hello, you"


@pytest.mark.sentence("P-41")
def test_name_that_one_framework_has_is_enough(peer: Peer) -> None:
    assert peer.result("ping")["framework"] is None
    assert peer.result("echo", {"value": 1}) == 1


@pytest.mark.parametrize("name", ["no_framework", "exiting_framework"])
def test_framework_that_cannot_be_imported_fails_its_calls_and_no_others(peer: Peer, name: str) -> None:
    for _ in range(2):
        info = peer.ask(f"{name}.greet", {"name": "you"})["error_info"]
        assert info["reason"] == "FRAMEWORK_UNAVAILABLE"
        assert info["details"]["framework"] == name
    assert peer.result("ping")["status"] == "ok"


@pytest.mark.sentence("P-63", "P-75")
@pytest.mark.parametrize(
    ("name", "flags"),
    [("import_exit", ["--strict"]), *((name, ["--framework", name]) for name in STAGES)],
)
def test_plugin_that_must_work_and_does_not_ends_with_1_and_one_line(name: str, flags: list[str]) -> None:
    with alone(name, *flags) as peer:
        (said,) = peer.rest()
        assert (said["id"], said["error_info"]["reason"]) == (None, "PLUGIN_LOAD_FAILED")
        assert peer.wait() == 1
        (line,) = [line for line in peer.log().splitlines() if line.startswith("pybridge worker: ")]
        assert STAGES[name] in line


@pytest.mark.sentence("P-75")
def test_framework_whose_name_is_no_text_is_refused_on_the_wire_too() -> None:
    with Peer("--framework", "half a \udcff character") as peer:
        (said,) = peer.rest()
        assert (said["id"], said["error_info"]["reason"]) == (None, "FRAMEWORK_NOT_FOUND")
        assert peer.wait() == 1
        assert "Traceback" not in peer.log()


def test_two_distributions_that_claim_one_name_are_a_conflict() -> None:
    folders = (PLUGINS, BROKEN / "claims_probe")
    with Peer("--mode", "standalone", folders=folders, environment={"BRIDGE_PLUGINS": "probe"}) as peer:
        info = peer.ask("probe.echo", {"value": 1})["error_info"]
        assert info["reason"] == "PLUGIN_CONFLICT"
        assert "claims-probe 0.2.0" in info["details"]["distribution"]


def test_plugin_that_fails_when_all_is_over_changes_nothing() -> None:
    with alone("bad_shutdown", "--framework", "bad_shutdown") as peer:
        assert peer.result("greet", {"name": "you"}) == "Hello, you"
        assert peer.end() == 0
        assert "failed at shutdown: RuntimeError: cannot let go" in peer.log()
