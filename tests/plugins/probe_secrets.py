"""Operations that let slip what their session was configured with, in every way that a framework may."""

from __future__ import annotations

import base64
import ctypes
import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, NoReturn
from urllib.parse import quote

from bridge_core import BridgeError, CallContext, Register, Session
from bridge_core.errors import InvalidConfigError

_log = logging.getLogger("bridge_core.probe")


def register(register: Register) -> None:
    register("adopt", adopt, configures=True)
    if word := os.environ.get("PROBE_DOCUMENTED"):
        register("documented", _documented(word))
    register("slip", slip)
    register("slip_thread", slip, runs="thread")
    register("slip_stream", slip_stream, streaming=True)
    register("mumble", mumble)
    register("settings", settings)
    register("settings_thread", settings, runs="thread")
    register("settings_async", settings_async)


def _documented(word: str) -> Callable[..., Any]:
    """Return an operation that has a word as its default and in its documentation."""

    def documented(*, key: str = word) -> None: ...

    documented.__doc__ = f"Use {word}."
    return documented


def note_configuration(config: Mapping[str, Any], session: Session) -> None:
    """Count how often a session is configured, and where; a file may have to be there."""
    needs = config.get("needs")
    if needs is not None and not Path(needs).exists():
        raise InvalidConfigError(f"$.needs: {needs} is missing", path="$.needs")
    times: list[bool] = session.settings.setdefault("configured", [])
    times.append(threading.current_thread() is threading.main_thread())


def settings(ctx: CallContext) -> dict[str, Any]:
    """Return what the session was configured with, and for each time whether that was on the main thread."""
    return {"settings": ctx.session.settings.get("probe"), "configured": ctx.session.settings.get("configured", [])}


async def settings_async(ctx: CallContext) -> dict[str, Any]:
    """Return the same."""
    return settings(ctx)


def adopt(ctx: CallContext, *, key: str, mode: Literal["one", "two"] = "one") -> dict[str, Any]:
    """Take a key and repeat it."""
    ctx.session.settings["probe"] = {"key": key}
    return {"key": key, "mode": mode, "header": {f"Bearer {key}": [key, 1, None]}}


class ProbeSlippedError(BridgeError, code="internal"):
    """An error of a plugin that says too much."""


def spellings(key: str) -> list[str]:
    """Return what a key may look like in a text."""
    data = key.encode()
    return [
        key,
        repr(key),
        ascii(key),
        json.dumps(key),
        json.dumps(json.dumps(key)),
        json.dumps(key, ensure_ascii=False),
        quote(key, safe=""),
        *(base64.b64encode(b"?" * before + data + b"!").decode() for before in range(3)),
        *(base64.urlsafe_b64encode(b"?" * before + data + b"!!").decode() for before in range(3)),
    ]


def slip(ctx: CallContext, *, how: str) -> Any:
    """Fail, log or tell with the key."""
    key = str(ctx.session.settings["probe"]["key"])
    return _WAYS[how](key, ctx)


def slip_stream(ctx: CallContext, *, how: str) -> Iterator[str]:
    """Fail after the first chunk."""
    yield "first"
    slip(ctx, how=how)


def _message(key: str, ctx: CallContext) -> NoReturn:
    raise ValueError(f"the provider refuses {key}.")


def _args(key: str, ctx: CallContext) -> NoReturn:
    raise KeyError(key, 1)


def _every_spelling(key: str, ctx: CallContext) -> NoReturn:
    raise ValueError(" | ".join(spellings(key)))


def _cause(key: str, ctx: CallContext) -> NoReturn:
    raise RuntimeError("no answer") from ValueError(key)


def _note(key: str, ctx: CallContext) -> NoReturn:
    error = RuntimeError("no answer")
    if hasattr(error, "add_note"):
        error.add_note(f"with {key}")
    raise error


def _own(key: str, ctx: CallContext) -> NoReturn:
    raise ProbeSlippedError(f"refused: {key}", key=key, tried=[{"header": [key]}, {key: 1}])


def _at_the_cut(key: str, ctx: CallContext) -> NoReturn:
    raise ValueError("x" * (2000 - len(key) // 2) + key)


def _exits(key: str, ctx: CallContext) -> NoReturn:
    raise SystemExit(key)


def _unserializable(key: str, ctx: CallContext) -> Any:
    return {key: object()}


def _too_complex(key: str, ctx: CallContext) -> Any:
    looped: dict[str, Any] = {}
    looped[key] = looped
    return looped


def _logs(key: str, ctx: CallContext) -> None:
    try:
        _message(key, ctx)
    except ValueError:
        _log.warning("failed with %r, args %s", key, [key], exc_info=True)
        _log.debug("a long one %s%s", "x" * 5000, key)


def _tells(key: str, ctx: CallContext) -> None:
    ctx.progress(f"using {key}", fraction=0.5)


_WAYS: dict[str, Callable[[str, CallContext], Any]] = {
    "message": _message,
    "args": _args,
    "every spelling": _every_spelling,
    "cause": _cause,
    "note": _note,
    "own": _own,
    "at the cut": _at_the_cut,
    "exits": _exits,
    "unserializable": _unserializable,
    "too complex": _too_complex,
    "logs": _logs,
    "tells": _tells,
}


def mumble(ctx: CallContext, *, how: str, die: bool = False) -> None:
    """Write the key to stderr in one of the ways that frameworks know, and perhaps die."""
    key = str(ctx.session.settings["probe"]["key"])
    if how == "python":
        sys.stderr.write("\n".join(["begin", *spellings(key), "end\n"]))
    elif how == "printf":
        libc = ctypes.CDLL(None)
        libc.dprintf(2, b"%s\n", f"C says {key}.".encode())
    elif how == "child":
        subprocess.run(["sh", "-c", 'printf "%s\\n" "$0" >&2', f"a child says {key}."], check=True)
    elif how == "by the byte":
        for byte in f"slowly {key}.\n".encode():
            os.write(2, bytes([byte]))
    elif how == "long line":
        for before in range(4096 - 2 * len(key), 4096 + len(key), 7):
            os.write(2, b"x" * before + key.encode() + b"y" * 9000 + b"\n")
    elif how == "no end":
        os.write(2, (b"z" * 4090 + key.encode()) * 20)
    else:
        raise ValueError(how)
    if die:
        sys.stderr.flush()
        os._exit(9)
