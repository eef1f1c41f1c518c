"""An object of an old class: made as its own launcher made it, and asked what it has."""

from __future__ import annotations

import inspect
import logging
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, TypeVar

from bridge_core.errors import BridgeError, FrameworkUnavailableError

from ._failures import load_failed, said
from ._shapes import REGISTERING, SUPPORTED, initialiser_of, is_bridge, is_plugin, stored_in

__all__ = ["Adopted"]

_Found = TypeVar("_Found")
_log = logging.getLogger(__name__)


def _say_nothing(message: str) -> None:
    """Report to nobody."""


class Adopted:
    """One object of an old class, with what it said about itself when the worker started.

    Args:
        kind: The class.
        label: What people call it, for messages.
        wanted: What a constructor gets, if it takes it: `mode` and `worker_id`.

    Raises:
        PluginLoadFailedError: It has none of the supported shapes, cannot be made, or does not say what it serves.
    """

    def __init__(self, kind: type, label: str, wanted: Mapping[str, Any]) -> None:
        self.label = label
        self.kind = kind
        self._initialiser = initialiser_of(self.kind)
        self._ready = self._initialiser is None
        self._registered: dict[str, Any] = {}
        self._has_registered = False
        self._started = False
        self._lock = threading.Lock()
        self._check_shape()
        self.object = self._made(wanted)
        remedy = "let get_framework_info return a dict with `name`, `version` and `capabilities`"
        self.info = self._asked("framework_info", self._info, remedy)
        """What `get_framework_info` says; the `name` may come from the attribute, or function, of that name."""
        self.handlers = self._asked("handlers", self._register, f"let {REGISTERING[0]} register functions by name")
        """What it registers, by the names that peers use."""
        self._started = True

    def initialise(self, report: Callable[[str], None] = _say_nothing) -> None:
        """Have the object import its framework unless that is done; other callers wait for the first.

        Raises:
            FrameworkUnavailableError: It cannot; it is tried again at the next call.
        """
        if self._is_ready():
            return
        with self._lock:
            if self._is_ready():
                return
            started = time.monotonic()
            report(f"{self.label}: {self._initialiser}")
            try:
                result = getattr(self.object, self._initialiser or "")()
            except BridgeError:
                raise
            except (Exception, SystemExit) as exc:  # boundary: plugin call
                raise self._unavailable(said(exc)) from exc
            if result is False or inspect.iscoroutine(result):
                raise self._unavailable("it returned False" if result is False else _closed(result))
            report(f"{self.label} is ready after {time.monotonic() - started:.1f} s")
            self._ready = True

    def _is_ready(self) -> bool:
        return self._ready

    def end(self) -> None:
        """Have the object clean up, if it has begun and can."""
        cleanup = getattr(self.object, "cleanup", None)
        if not self._ready or not callable(cleanup):
            return
        try:
            inspect.signature(cleanup).bind({})
        except TypeError:
            cleanup()
        else:
            cleanup({})

    def _check_shape(self) -> None:
        if not is_bridge(self.kind) and not is_plugin(self.kind):
            raise load_failed(
                self.label,
                "hooks",
                f"{self.kind.__qualname__} has none of what old bridges have",
                f"it needs {SUPPORTED}",
            )
        for name in (*REGISTERING, "get_framework_info", self._initialiser, "configure", "serialize_result"):
            if name and inspect.iscoroutinefunction(getattr(self.kind, name, None)):
                remedy = "only handlers may be; make it an ordinary function"
                raise load_failed(self.label, "hooks", f"{name} is `async def`", remedy)

    def _made(self, wanted: Mapping[str, Any]) -> Any:
        """Make the object, watching from the first moment what its own base class does in its constructor."""
        accepted = _accepted(self.kind)
        arguments = {name: value for name, value in wanted.items() if name in accepted}
        try:
            made: Any = self.kind.__new__(self.kind, **arguments)  # type: ignore[call-overload]
            if isinstance(made, self.kind):
                self._watch(made)
                type(made).__init__(made, **arguments)
        except (Exception, SystemExit) as exc:  # boundary: plugin call
            where, remedy = (
                "its constructor",
                "a constructor is given `mode` and `worker_id` if it takes them, and nothing else",
            )
            initialises = self._initialiser is not None and _came_through(exc, self._initialiser)
            if initialises or isinstance(exc, ImportError):
                name = self._initialiser or "_initialize_framework"
                where = f"{name}, which its constructor calls," if initialises else where
                remedy = f"install what is missing, or import it in `{name}` and do not call that in the constructor"
            raise load_failed(self.label, "import", f"{where} raised {said(exc)}", remedy) from exc
        return made

    def _watch(self, made: Any) -> None:
        """Notice what is registered and initialised, whoever calls it; provide what the class lacks."""
        with suppress(AttributeError, TypeError):  # it has slots: then what it keeps under the usual names is all
            for name in ("register_handler", "register_command"):
                setattr(made, name, self._registering(getattr(made, name, None)))
            for name in filter(None, (*REGISTERING, self._initialiser)):
                if callable(own := getattr(made, name, None)):
                    setattr(made, name, self._noticing(own, registers=name in REGISTERING))

    def _registering(self, own: Callable[..., Any] | None) -> Callable[..., Any]:
        def register(*arguments: Any, **options: Any) -> Any:
            if self._started:
                _log.warning("%s: %r comes too late to be served", self.label, arguments[:1])
            if len(arguments) > 1:
                self._registered[arguments[0]] = arguments[1]
            elif own is None:  # as a decorator
                return lambda handler: self._registered.setdefault(arguments[0], handler)
            return own(*arguments, **options) if own is not None else None

        return register

    def _noticing(self, own: Callable[..., Any], *, registers: bool) -> Callable[..., Any]:
        def noticed(*arguments: Any, **options: Any) -> Any:
            result = own(*arguments, **options)
            if not registers:
                self._ready = self._ready or not (result is False or inspect.iscoroutine(result))
                return result
            self._has_registered = True
            if isinstance(result, Mapping):
                self._registered.update(result)
            return result

        return noticed

    def _info(self) -> Mapping[str, Any]:
        ask = getattr(self.object, "get_framework_info", None)
        info = ask() if callable(ask) else {}
        if not isinstance(info, Mapping):
            raise TypeError(f"get_framework_info returned {type(info).__name__}, not a dict")
        name = getattr(self.object, "name", None)
        name = info.get("name") or (name() if callable(name) else name)
        if is_plugin(self.kind) and not name:
            raise TypeError(f"it has `load`, and neither `name` nor one of {', '.join(REGISTERING)}")
        return {**info, "name": name}

    def _register(self) -> dict[str, Any]:
        if not self._has_registered:
            for name in REGISTERING:
                if callable(register := getattr(self.object, name, None)):
                    returned = register()
                    self._registered.update(returned if isinstance(returned, Mapping) else {})
        found = {**stored_in(self.object), **self._registered}
        if is_plugin(self.kind):
            listed: Any = getattr(self.object, "get_handlers", dict)()
            found = {**found, **listed} if isinstance(listed, Mapping) else found
        elif not found:
            raise TypeError("it registers no handler")
        for name, handler in found.items():
            if type(name) is not str or not callable(handler):
                raise TypeError(f"it registers {name!r}, and no function for it")
        return found

    def _asked(self, stage: str, question: Callable[[], _Found], remedy: str) -> _Found:
        """Ask before the framework is there and, if that fails, when it is: some classes take their answer from it."""
        try:
            try:
                return question()
            except Exception:  # boundary: plugin call
                if self._ready:
                    raise
                _log.info("%s: %s needs the framework, which is imported now", self.label, stage)
                self.initialise()
                return question()
        except (Exception, SystemExit) as exc:  # boundary: plugin call
            raise load_failed(self.label, stage, said(exc), remedy) from exc

    def _unavailable(self, cause: str) -> FrameworkUnavailableError:
        remedy = "install what it imports into the worker's environment, then ask again"
        return FrameworkUnavailableError(
            f"{self._initialiser} of {self.label} failed: {cause}; {remedy}", bridge=self.label
        )


def _accepted(kind: type) -> set[str]:
    """Return the names that a constructor takes, its bases' too where it passes on what it does not know."""
    names: set[str] = set()
    for one in kind.__mro__:
        if (init := vars(one).get("__init__")) is None:
            continue
        try:
            parameters = inspect.signature(init).parameters.values()
        except (TypeError, ValueError):
            break
        names.update(found.name for found in parameters if found.kind not in (found.VAR_POSITIONAL, found.VAR_KEYWORD))
        if not any(found.kind is found.VAR_KEYWORD for found in parameters):
            break
    return names


def _came_through(exc: BaseException, function: str) -> bool:
    """Return whether a function of that name was running when it was raised."""
    frame = exc.__traceback__
    while frame is not None and frame.tb_frame.f_code.co_name != function:
        frame = frame.tb_next
    return frame is not None


def _closed(result: Any) -> str:
    result.close()
    return "it is a coroutine; make it an ordinary function"
