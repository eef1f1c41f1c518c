"""How old classes are read while they run: names, calls, answers, and what their constructors do."""

from __future__ import annotations

import functools
from collections import OrderedDict, namedtuple
from collections.abc import Callable
from enum import IntEnum
from typing import Any

import pytest

from bridge_core import CallContext
from bridge_core.compat import BaseBridge, BaseFrameworkPlugin, as_plugin
from bridge_core.compat._answers import as_json, checked
from bridge_core.compat._conventions import call_of
from bridge_core.compat._names import framework_name, operation_names
from bridge_core.errors import HandlerRaisedError, InvalidArgumentsError, PluginLoadFailedError
from bridge_core.sessions import SessionStore
from bridge_core.testing import loopback

pytestmark = [pytest.mark.capability("A08", "D09")]


def test_names_become_lower_case_identifiers_and_stay_apart() -> None:
    given = ["do-it", "do_it", "createThing", "getHTTPStatus", "File.New", "file_new", "2nd", "ñ", "–", "do-it"]
    assert operation_names(given) == {
        "do-it": "do_it_2",
        "do_it": "do_it",
        "createThing": "create_thing",
        "getHTTPStatus": "get_http_status",
        "File.New": "file_new_2",
        "file_new": "file_new",
        "2nd": "nd",
        "ñ": "operation",
        "–": "operation_2",
    }


@pytest.mark.parametrize(
    ("candidates", "name"),
    [(["DSPy"], "dspy"), (["Custom-ML", "x"], "custom_ml"), ([None, "", "–", "m"], "m"), ([3, "_"], "bridge")],
)
def test_framework_has_the_first_name_that_can_be_one(candidates: list[Any], name: str) -> None:
    assert framework_name(*candidates) == name


class Handlers:
    def dict_only(self, args: Any) -> Any:
        return args

    def dict_and_more(self, args: Any, verbose: bool = False) -> Any:
        return [args, verbose]

    def optional(self, args: Any = None) -> Any:
        return args

    def with_session(self, args: Any, session_id: str) -> Any:
        return [args, session_id]

    def with_session_by_name(self, args: Any, *, session_id: str) -> Any:
        return [args, session_id]

    def anything(self, *args: Any, **kwargs: Any) -> Any:
        return [args, kwargs]

    def several(self, a: Any, b: Any = 2, *, c: Any = 3) -> Any:
        return [a, b, c]

    def two(self, a: Any, b: Any) -> Any:
        return [a, b]

    def keywords(self, **kwargs: Any) -> Any:
        return kwargs

    def named(self, *, a: Any, session_id: str) -> Any:
        return [a, session_id]

    def nothing(self) -> Any:
        return "nothing"


ARGUMENTS = {"a": 1, "b": 2}


@pytest.mark.parametrize(
    ("name", "arguments", "answer"),
    [
        ("dict_only", ARGUMENTS, ARGUMENTS),
        ("dict_and_more", ARGUMENTS, [ARGUMENTS, False]),
        ("optional", {}, {}),
        ("with_session", ARGUMENTS, [ARGUMENTS, "s"]),
        ("with_session_by_name", ARGUMENTS, [ARGUMENTS, "s"]),
        ("anything", ARGUMENTS, [(ARGUMENTS,), {}]),
        ("several", ARGUMENTS, [ARGUMENTS, 2, 3]),
        ("two", ARGUMENTS, [1, 2]),
        ("keywords", ARGUMENTS, ARGUMENTS),
        ("named", {"a": 1}, [1, "s"]),
        ("named", {"a": 1, "session_id": "own"}, [1, "own"]),
        ("nothing", ARGUMENTS, "nothing"),
    ],
)
def test_signature_says_how_a_handler_is_called(name: str, arguments: dict[str, Any], answer: Any) -> None:
    context = CallContext(session=SessionStore().get("s"), operation="x.y", request_id=1)
    assert call_of(getattr(Handlers(), name))(context, dict(arguments)) == answer


def test_handlers_need_not_be_functions() -> None:
    context = CallContext(session=SessionStore().get("s"), operation="x.y", request_id=1)
    assert call_of(functools.partial(Handlers().several, 7))(context, {"b": 1}) == [7, {"b": 1}, 3]
    assert call_of(dict)(context, {"b": 1}) == {"b": 1}


def test_argument_that_a_handler_does_not_take_is_refused() -> None:
    context = CallContext(session=SessionStore().get("s"), operation="x.y", request_id=1)
    with pytest.raises(InvalidArgumentsError):
        call_of(Handlers().two)(context, {"a": 1})


def positional_only(a: Any, b: Any, /) -> None: ...


def needs_another(args: Any, *, other: Any) -> None: ...


@pytest.mark.parametrize("handler", [positional_only, needs_another])
def test_handler_that_nobody_could_call_is_refused_before_that(handler: Callable[..., Any]) -> None:
    with pytest.raises(TypeError):
        call_of(handler)


class Level(IntEnum):
    HIGH = 3


class Text(str):
    """A text of some library."""

    __slots__ = ()


Point = namedtuple("Point", "x y")


def test_answers_become_what_json_has() -> None:
    shared = (1,)
    given = {2: Point(1, 2), True: Level.HIGH, None: Text("x"), 1.5: [shared, shared], "o": OrderedDict(a=(None,))}
    assert as_json(given) == {
        "2": [1, 2], "true": 3, "null": "x", "1.5": [[1], [1]], "o": {"a": [None]},
    }  # fmt: skip
    assert [type(as_json(value)) for value in (Text("x"), Level.HIGH)] == [str, int]


def test_what_json_has_not_stays_as_it_is() -> None:
    leaf = object()
    cycle: list[Any] = [leaf, {(1, 2): 3}]
    cycle.append(cycle)
    same = as_json(cycle)
    assert same[:2] == [leaf, {(1, 2): 3}]
    assert same[2] is same


def test_nothing_is_too_deep_to_be_left_to_the_serializer() -> None:
    deep: list[Any] = []
    for _ in range(5000):
        deep = [deep]
    assert isinstance(as_json(deep), list)


@pytest.mark.parametrize(
    ("answer", "details"),
    [
        ({"status": "error", "error": "no", "traceback": "File …"}, {"text": "no"}),
        ({"status": "error", "message": "no", "error_type": "KeyError"}, {"text": "no", "exception": "KeyError"}),
        ({"success": False, "error": {"a": 1}}, {"text": "{'a': 1}"}),
        ({"status": "error"}, {"text": ""}),
    ],
)
def test_answer_that_says_it_is_an_error_is_raised(answer: dict[str, Any], details: dict[str, Any]) -> None:
    with pytest.raises(HandlerRaisedError) as caught:
        checked(answer, "x.y")
    assert caught.value.details == details
    assert caught.value.message


@pytest.mark.parametrize(
    "answer", [{"error": 0.5}, {"status": "ok", "error": None}, {"success": False}, ["error"], None]
)
def test_other_answers_are_answers(answer: Any) -> None:
    assert checked(answer, "x.y") == answer


class Filled(BaseBridge):
    def _register_handlers(self) -> None:
        self._handlers.update({"info": self.get_info, "stats": self.get_stats, "names": self.names})

    def get_framework_info(self) -> dict[str, Any]:
        return {"name": "filled", "version": 3}

    def names(self, args: Any) -> list[str]:
        return self.get_supported_commands()


class Returning(BaseBridge):
    def _register_handlers(self) -> dict[str, Any]:
        return {"ping": self.ping, "cleanup": self.cleanup}


class Decorating:
    def _register_commands(self) -> None:
        @self.register_command("greet")  # type: ignore[attr-defined]
        def greet(args: Any) -> str:
            return f"hello, {args['name']}"


class Slots:
    __slots__ = ()

    def _register_handlers(self) -> dict[str, Any]:
        return {"greet": lambda args: "hello"}


class Loading(BaseFrameworkPlugin):
    name = "loading"


def test_our_base_has_what_old_bases_have() -> None:
    with loopback(as_plugin(Filled, mode="pool-worker"), name="filled") as client:
        assert client.run("filled.info") == {"name": "filled", "version": 3}
        assert client.run("filled.names") == ["info", "stats", "names"]
        assert client.run("filled.stats")["uptime"] >= 0
        assert client.run("describe", {"framework": "filled"})["version"] == "3"


@pytest.mark.parametrize("kind", [Returning, Decorating, Slots])
def test_handlers_are_found_however_they_are_registered(kind: type) -> None:
    name = framework_name(kind.__module__.rpartition(".")[2])
    with loopback(as_plugin(kind), name=name) as client:
        described = client.run("describe", {"framework": name})["operations"]
        if kind is Decorating:
            assert client.run("greet", {"name": "you"}) == "hello, you"
    expected = ["cleanup", "ping"] if kind is Returning else ["greet"]
    assert [one["name"] for one in described] == [f"{name}.{one}" for one in expected]


def test_framework_plugin_may_have_no_operations() -> None:
    with loopback(as_plugin(Loading), name="loading") as client:
        assert client.run("describe", {"framework": "loading"})["operations"] == []


def test_class_of_another_kind_is_refused() -> None:
    with pytest.raises(PluginLoadFailedError):
        as_plugin(int)


class Late(BaseBridge):
    def _register_handlers(self) -> None:
        self.register_handler("add", self.add)

    def add(self, args: Any) -> list[str]:
        self.register_handler("added", self.add)
        return self.get_supported_commands()


def test_what_is_registered_later_is_reported_and_not_served(caplog: pytest.LogCaptureFixture) -> None:
    name = framework_name(Late.__module__.rpartition(".")[2])
    with loopback(as_plugin(Late), name=name) as client:
        assert client.run("add") == ["add", "added"]
        assert len(client.run("describe", {"framework": name})["operations"]) == 1
    assert "added" in caplog.text
