"""What a plugin declares is in the environment before its framework is imported, unless the operator said otherwise."""

from __future__ import annotations

from peer import Peer


def test_declared_variables_are_there_at_import_and_the_operators_win() -> None:
    with Peer(environment={"PROBE_OPERATOR": "by the operator"}) as peer:
        saw = peer.result("probe.framework_saw")
        assert (saw["declared"], saw["operator"]) == ("by the plugin", "by the operator")


def test_framework_is_imported_by_the_first_call_that_needs_it_and_not_before() -> None:
    with Peer() as peer:
        peer.result("get_capabilities")
        assert "thank you" not in peer.log()
        peer.result("probe.echo", {"value": 1})
        peer.result("probe.echo_thread", {"value": 1})
        assert peer.log().count("thank you") == 1


def test_configure_imports_the_framework_first() -> None:
    with Peer() as peer:
        peer.result("configure", {"config": {}})
        assert "thank you" in peer.log()
