"""The worker's flags and the variables beside them."""

from __future__ import annotations

import pytest
from peer import Peer

pytestmark = [pytest.mark.capability("A15")]


@pytest.mark.sentence("P-65")
def test_unknown_flags_and_their_values_are_reported_and_ignored() -> None:
    flags = ["--snakepit-run", "r-1", "--framework", "probe", "--max-workers=4", "--verbose", "--mode", "pool-worker"]
    with Peer(*flags) as peer:
        result = peer.result("ping")
        assert (result["framework"], result["mode"]) == ("probe", "pool-worker")
        assert "--snakepit-run r-1 --max-workers=4 --verbose" in peer.log()


@pytest.mark.sentence("P-63")
@pytest.mark.parametrize("flags", [["--config"], ["--codec", "xml"], ["--framework"], ["--worker-id", "w", "--mode"]])
def test_flags_of_ours_that_make_no_sense_end_with_2_and_one_line(flags: list[str]) -> None:
    with Peer(*flags) as peer:
        assert peer.rest() == []
        assert peer.wait() == 2
        assert peer.log().count("\n") == 1
        assert peer.log().startswith("pybridge worker: ")


def test_configuration_that_is_nowhere_is_not_no_configuration() -> None:
    with Peer("--framework", "probe", "--config", "") as peer:
        assert [one["error_info"]["reason"] for one in peer.rest()] == ["INVALID_CONFIG"]
        assert peer.wait() == 1


def test_settings_for_what_is_not_installed_are_a_warning_that_names_it() -> None:
    with Peer("--framework", "probe", "--config", '{"frameworks": {"nope": {}, "dspy": {}, "probe": {}}}') as peer:
        assert peer.result("ping")["frameworks_available"] == ["probe"]
        (line,) = [line for line in peer.log().splitlines() if "WARNING" in line]
        assert "'nope'" in line


@pytest.mark.sentence("P-63", "P-75")
@pytest.mark.parametrize("environment", [{}, {"BRIDGE_PLUGINS": "dspy"}, {"BRIDGE_DISABLED_PLUGINS": "nobody, probe"}])
def test_framework_that_cannot_be_served_ends_with_1_and_one_line(environment: dict[str, str]) -> None:
    with Peer("--framework", "probe" if environment else "nobody", environment=environment) as peer:
        (said,) = peer.rest()
        assert (said["id"], said["error_info"]["reason"]) == (None, "FRAMEWORK_NOT_FOUND")
        assert peer.wait() == 1
        assert peer.log().count("\n") == 1
        assert peer.log().startswith("pybridge worker: ")


@pytest.mark.parametrize(
    ("environment", "served"),
    [
        ({"BRIDGE_PLUGINS": "probe"}, ["probe"]),
        ({"BRIDGE_PLUGINS": ""}, []),
        ({"BRIDGE_PLUGINS": "probe", "BRIDGE_DISABLED_PLUGINS": "probe"}, []),
    ],
)
def test_lists_in_the_environment_say_which_plugins_are_loaded(environment: dict[str, str], served: list[str]) -> None:
    with Peer("--strict", environment=environment) as peer:
        result = peer.result("ping")
        assert result["frameworks_available"] == served
        assert result["framework"] == (served or [None])[0]


def test_name_of_a_worker_may_hold_what_means_something_to_a_formatter() -> None:
    with Peer("--framework", "probe", "--worker-id", "a%b%(c)s", "--bogus") as peer:
        assert peer.result("ping")["worker_id"] == "a%b%(c)s"
        assert " a%b%(c)s WARNING " in peer.log()


def test_worker_without_an_id_makes_one_up() -> None:
    with Peer() as peer:
        assert peer.result("ping")["worker_id"] == f"worker-{peer.result('probe.own_pid')}"


def test_worker_without_any_plugin_answers_for_itself() -> None:
    with Peer("--strict", environment={"BRIDGE_PLUGINS": ""}) as peer:
        assert peer.result("get_capabilities")["plugins"] == {}
        assert peer.reason("echo") == "UNKNOWN_OPERATION"
        assert peer.reason("configure", {"config": {}}) == "FRAMEWORK_NOT_FOUND"
