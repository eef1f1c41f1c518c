"""The plugin host: loading, isolation, and one plugin called at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from bridge_core import FrameworkInfo, PluginHost, PluginMetadata, Register, hookimpl
from bridge_core._handlers import Operation
from bridge_core.errors import (
    FrameworkNotFoundError,
    InternalError,
    InvalidConfigError,
    PluginConflictError,
    PluginLoadFailedError,
)
from bridge_core.sessions import SessionStore

pytestmark = [pytest.mark.capability("A08", "E15")]

TESTS = Path(__file__).parents[1]
SESSION = SessionStore().get("s")


def greet(*, name: str) -> str:
    """Greet somebody."""
    return name


def plugin(name: str, *, environment: Mapping[str, str] | None = None, **hooks: Callable[..., Any]) -> ModuleType:
    """Return a plugin that serves a framework with one operation, and implements these hooks too."""
    module = ModuleType(name)

    def bridge_framework_info() -> FrameworkInfo:
        return FrameworkInfo(name=name, distribution=name, version=None, environment=environment or {})

    def bridge_register_handlers(register: Register) -> None:
        register("greet", greet)

    vars(module)["BRIDGE_HOOK_API"] = 1
    for hook in (bridge_framework_info, bridge_register_handlers):
        setattr(module, hook.__name__, hookimpl(hook))
    for hook_name, function in hooks.items():
        setattr(module, hook_name, hookimpl(function))
    return module


def metadata(name: str) -> PluginMetadata:
    return PluginMetadata(name=name, distribution=f"bridge-{name}", version="1.0", target=name)


def host_of(*modules: ModuleType, **options: Any) -> PluginHost:
    host = PluginHost(**options)
    for module in modules:
        host.load(metadata(module.__name__), lambda module=module: module)  # type: ignore[misc]
    return host


def stages(host: PluginHost) -> dict[str, str]:
    return {failure.name: failure.stage for failure in host.failures}


def fail(*_: object) -> Any:
    raise RuntimeError("the plugin broke")


def test_plugin_in_use_has_its_operations_and_what_it_said() -> None:
    loaded = host_of(plugin("a")).get("a")
    assert (loaded.name, loaded.info.name, loaded.metadata.distribution) == ("a", "a", "bridge-a")
    assert isinstance(loaded.operations["greet"], Operation)


def test_one_broken_plugin_leaves_the_others_alone() -> None:
    host = host_of(plugin("a"), plugin("b", bridge_no_such_hook=lambda: None), plugin("c"))
    host.load(metadata("d"), fail)
    assert sorted(host.plugins) == ["a", "c"]
    assert stages(host) == {"b": "hooks", "d": "import"}
    with pytest.raises(PluginLoadFailedError) as caught:
        host.get("d")
    assert caught.value.details["cause"] == "RuntimeError: the plugin broke"
    assert caught.value.details["stage"] == "import"


def test_plugin_without_a_required_hook_is_refused_and_never_called() -> None:
    called: list[str] = []
    bad = plugin("b", bridge_shutdown=lambda: called.append("b"))
    del bad.bridge_register_handlers  # type: ignore[attr-defined]
    host = host_of(bad, plugin("a", bridge_shutdown=lambda: called.append("a")))
    host.shutdown()
    assert (stages(host), called) == ({"b": "hooks"}, ["a"])


@pytest.mark.parametrize("api", [None, 0, 2, "1"])
def test_plugin_for_another_hook_api_is_refused(api: object) -> None:
    module = plugin("a")
    vars(module)["BRIDGE_HOOK_API"] = api
    assert stages(host_of(module)) == {"a": "hook_api"}


def test_plugin_that_describes_another_framework_or_none_is_refused() -> None:
    host = PluginHost()
    host.load(metadata("a"), lambda: plugin("b"))
    host.load(metadata("c"), lambda: plugin("c", bridge_framework_info=lambda: {"name": "c"}))
    assert stages(host) == {"a": "framework_info", "c": "framework_info"}


def test_plugin_that_registers_one_name_twice_is_refused() -> None:
    def bridge_register_handlers(register: Register) -> None:
        register("greet", greet)
        register("greet", greet)

    assert stages(host_of(plugin("a", bridge_register_handlers=bridge_register_handlers))) == {"a": "handlers"}


def test_object_that_is_hashed_by_identity_is_a_plugin_too() -> None:
    class Instance:
        """A plugin with state."""

        BRIDGE_HOOK_API = 1
        bridge_framework_info = staticmethod(plugin("a").bridge_framework_info)
        bridge_register_handlers = staticmethod(plugin("a").bridge_register_handlers)

    host = PluginHost()
    host.load(metadata("a"), Instance)
    assert list(host.get("a").operations) == ["greet"]


def test_strict_host_raises_the_first_failure() -> None:
    with pytest.raises(PluginLoadFailedError):
        host_of(plugin("b", bridge_no_such_hook=lambda: None), strict=True)


@pytest.mark.parametrize("name", ["with space", "with-dash", "1st", ""])
def test_name_that_is_no_identifier_is_refused(name: str) -> None:
    assert stages(host_of(plugin(name))) == {name: "import"}


def test_framework_nobody_serves_is_not_found_and_kept_out_ones_are_named() -> None:
    host = host_of(plugin("a"), block=["b"])
    with pytest.raises(FrameworkNotFoundError) as unknown:
        host.get("c")
    with pytest.raises(FrameworkNotFoundError) as kept_out:
        host.get("b")
    assert unknown.value.details == {"framework": "c"}
    assert "list" not in unknown.value.message
    assert "list" in kept_out.value.message


def test_environment_is_set_once_and_what_is_there_is_left_alone() -> None:
    environ = {"THERE": "by the operator"}
    host = host_of(plugin("a", environment={"THERE": "by a", "NEW": "by a"}), plugin("b", environment={"NEW": "by b"}))
    host.set_environment(environ)
    assert environ == {"THERE": "by the operator", "NEW": "by a"}


def test_environment_that_cannot_be_set_puts_the_plugin_out_of_use() -> None:
    class Picky(dict[str, str]):
        """Refuse what os.environ refuses."""

        def setdefault(self, name: str, value: str = "") -> str:  # type: ignore[override]
            raise ValueError("embedded null byte")

    host = host_of(plugin("a", environment={"X": "\0"}), plugin("b"))
    host.set_environment(Picky())
    assert (sorted(host.plugins), stages(host)) == (["b"], {"a": "environment"})


def test_shutdown_is_said_once_to_each_in_opposite_order() -> None:
    journal: list[str] = []
    host = host_of(*(plugin(name, bridge_shutdown=lambda name=name: journal.append(name)) for name in ("a", "b")))
    host.shutdown()
    host.shutdown()
    assert journal == ["b", "a"]


def test_plugin_whose_shutdown_fails_does_not_keep_the_others_from_theirs() -> None:
    called: list[str] = []
    host = host_of(plugin("a", bridge_shutdown=lambda: called.append("a")), plugin("b", bridge_shutdown=lambda: fail()))
    host.shutdown()
    assert called == ["a"]


def test_configure_reaches_the_addressed_plugin_only() -> None:
    def bridge_configure(config: Mapping[str, Any], session: Any) -> Mapping[str, Any]:
        return {**config, "session": session.id}

    host = host_of(plugin("a", bridge_configure=bridge_configure), plugin("b", bridge_configure=lambda: fail()))
    assert host.configure("a", {"x": 1}, SESSION) == {"x": 1, "session": "s"}


def test_plugin_that_takes_no_configuration_refuses_it() -> None:
    with pytest.raises(InvalidConfigError):
        host_of(plugin("a")).configure("a", {}, SESSION)


def test_call_context_is_the_addressed_plugins_or_an_empty_one() -> None:
    entered: list[str] = []

    @contextmanager
    def inside(session: Any) -> Any:
        entered.append(session.id)
        yield

    def bridge_call_context(session: Any) -> AbstractContextManager[Any]:
        return inside(session)

    host = host_of(plugin("a", bridge_call_context=bridge_call_context), plugin("b"))
    with host.call_context("a", SESSION), host.call_context("b", SESSION):
        assert entered == ["s"]
    assert isinstance(host.call_context("b", SESSION), nullcontext)


def test_plugin_of_the_operation_is_asked_first_for_a_form_and_the_others_by_name() -> None:
    asked: list[str] = []

    def asking(name: str, form: str | None) -> Callable[..., Any]:
        def bridge_serialize_result(value: object) -> str | None:
            asked.append(name)
            return form

        return bridge_serialize_result

    forms = {"a": None, "b": None, "c": "c's"}
    host = host_of(
        *(plugin(name, bridge_serialize_result=asking(name, form)) for name, form in forms.items()), plugin("d")
    )
    assert host.serialize(object(), repr, first="b") == "c's"
    assert asked == ["b", "a", "c"]
    assert host_of(plugin("d")).serialize(object(), repr, first=None) is None


@pytest.fixture
def probes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put two distributions on the path that claim the name `probe`."""
    monkeypatch.syspath_prepend(str(TESTS / "plugins_broken" / "claims_probe"))
    monkeypatch.syspath_prepend(str(TESTS / "plugins"))


@pytest.mark.usefixtures("probes")
def test_name_that_two_distributions_claim_is_a_conflict() -> None:
    host = PluginHost(allow=["probe"])
    host.discover()
    assert stages(host) == {"probe": "conflict"}
    with pytest.raises(PluginConflictError):
        host.get("probe")
    with pytest.raises(PluginConflictError):
        PluginHost(allow=["probe"], strict=True).discover()


@pytest.mark.usefixtures("probes")
@pytest.mark.parametrize("chosen", ["bridge-probe", "claims-probe"])
def test_conflict_is_decided_by_naming_a_distribution(chosen: str) -> None:
    host = PluginHost(allow=["probe"], distributions={"probe": chosen})
    host.discover()
    assert host.get("probe").metadata.distribution == chosen


@pytest.mark.usefixtures("probes")
@pytest.mark.parametrize("options", [{"allow": []}, {"allow": ["probe"], "block": ["probe"]}])
def test_lists_keep_plugins_out(options: dict[str, Any]) -> None:
    host = PluginHost(**options)
    host.discover()
    assert (dict(host.plugins), host.failures) == ({}, ())


@pytest.mark.usefixtures("probes")
def test_distribution_that_does_not_claim_the_name_serves_nothing() -> None:
    host = PluginHost(allow=["probe"], distributions={"probe": "nobody"})
    host.discover()
    assert (dict(host.plugins), host.failures) == ({}, ())
    with pytest.raises(FrameworkNotFoundError, match="no installed distribution nobody offers it"):
        host.get("probe")


@pytest.mark.usefixtures("probes")
def test_absence_is_what_no_list_could_mend() -> None:
    host = PluginHost(allow=[], distributions={"absent": "nobody"})
    host.discover()
    assert host.absence("probe") is None
    assert "nobody" in str(host.absence("absent"))
    assert host.absence("other")


@pytest.mark.parametrize(
    "wrong",
    [
        {"capabilities": (object(),)},
        {"imports": "json"},
        {"environment": None},
        {"environment": {"A": 1}},
        {"deterministic": object()},
        {"version": 3},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_what_a_plugin_says_of_its_framework_is_checked(wrong: dict[str, Any]) -> None:
    module = plugin("a")

    def bridge_framework_info() -> FrameworkInfo:
        return FrameworkInfo(**{"name": "a", "distribution": "a", "version": None, **wrong})

    vars(module)["bridge_framework_info"] = hookimpl(bridge_framework_info)
    assert stages(host_of(module, plugin("b"))) == {"a": "framework_info"}


@pytest.mark.parametrize("raised", [KeyboardInterrupt(), SystemExit(3), GeneratorExit()], ids=repr)
def test_whatever_a_plugin_raises_is_a_record(raised: BaseException) -> None:
    def throw() -> None:
        raise raised

    def importer() -> object:
        raise raised

    host = host_of(plugin("a", bridge_register_handlers=throw), plugin("b", bridge_shutdown=throw))
    host.load(PluginMetadata(name="c", distribution="c", version="1", target="c"), importer)
    host.shutdown()
    assert stages(host) == {"a": "handlers", "c": "import"}


def test_object_whose_hook_api_cannot_be_read_is_refused() -> None:
    class Plugin:
        @property
        def BRIDGE_HOOK_API(self) -> int:  # noqa: N802 — the name that the host reads
            raise RuntimeError("not today")

    host = PluginHost()
    host.load(metadata("a"), Plugin)
    assert stages(host) == {"a": "hook_api"}


def test_configuration_without_an_answer_is_the_plugins_defect() -> None:
    with pytest.raises(InternalError):
        host_of(plugin("a", bridge_configure=lambda config, session: None)).configure("a", {}, SESSION)


def test_failure_says_in_one_sentence_what_happened_and_what_to_do() -> None:
    (failure,) = host_of(plugin("b", bridge_no_such_hook=lambda: None)).failures
    assert all(part in failure.sentence() for part in ("'b'", "bridge-b 1.0", "hooks", failure.cause, failure.remedy))
