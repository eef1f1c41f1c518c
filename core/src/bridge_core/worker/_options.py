"""The worker's flags, read without click so that a worker starts fast."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from msgspec import Struct, field

__all__ = ["USAGE", "Options", "UsageError"]

USAGE = (
    "pybridge worker [--framework NAME]... [--bridge FILE.py:CLASS] [--mode NAME] [--worker-id ID]"
    " [--codec json|msgpack|auto] [--config FILE] [--strict] [--debug]"
)


class UsageError(Exception):
    """The flags cannot be meant."""


class Options(Struct, kw_only=True, frozen=True):
    """How a worker was asked to serve."""

    frameworks: tuple[str, ...] = ()
    """Which frameworks to serve, the default one first; all that are installed when empty and there is no `bridge`."""
    bridge: str | None = None
    """A class of an older kind to serve: `MODULE:CLASS` or `FILE.py:CLASS`."""
    mode: str = "standalone"
    worker_id: str = field(default_factory=lambda: f"worker-{os.getpid()}")
    codec: str = "json"
    config: str | None = None
    """A file like `bridge.toml`, or JSON itself."""
    strict: bool = False
    debug: bool = False
    allow: frozenset[str] | None = None
    block: frozenset[str] = frozenset()
    ignored: tuple[str, ...] = ()
    """What was not understood and is reported: older launchers pass flags of their own."""

    @classmethod
    def parse(cls, arguments: Sequence[str], environ: Mapping[str, str]) -> Options:
        """Read flags, and the plugin lists from the environment.

        Raises:
            UsageError: A flag of ours lacks its value or has a wrong one.
        """
        found: dict[str, list[str]] = {}
        ignored: list[str] = []
        rest = list(arguments)
        while rest:
            word = rest.pop(0)
            flag, equals, value = word.partition("=")
            if flag in _SWITCHES:
                found[flag] = [word]
            elif flag in _VALUED:
                if not equals:
                    if not rest:
                        raise UsageError(f"{flag} needs a value; usage: {USAGE}")
                    value = rest.pop(0)
                found.setdefault(flag, []).append(value)
            else:
                ignored.append(word)
                if word.startswith("-") and not equals and rest and not rest[0].startswith("-"):
                    ignored.append(rest.pop(0))  # most likely the unknown flag's value
        return cls._from(found, tuple(ignored), environ)

    @classmethod
    def _from(cls, found: Mapping[str, list[str]], ignored: tuple[str, ...], environ: Mapping[str, str]) -> Options:
        codec = found.get("--codec", ["json"])[-1]
        if codec not in ("json", "msgpack", "auto"):
            raise UsageError(f"--codec {codec!r}: use json, msgpack or auto")
        if len(found.get("--config", ())) > 1:  # what it forbids would be lost in silence
            raise UsageError("--config is given twice: put everything into one file")
        given = {name: found[flag][-1] for flag, name in _NAMES.items() if flag in found}
        allow = environ.get("BRIDGE_PLUGINS")
        return cls(
            frameworks=tuple(dict.fromkeys(found.get("--framework", []))),
            codec=codec,
            strict="--strict" in found,
            debug="--debug" in found,
            allow=None if allow is None else _names(allow),
            block=_names(environ.get("BRIDGE_DISABLED_PLUGINS", "")),
            ignored=ignored,
            **given,
        )


_SWITCHES = frozenset(["--strict", "--debug"])
_NAMES = {"--bridge": "bridge", "--mode": "mode", "--worker-id": "worker_id", "--config": "config"}
_VALUED = frozenset(["--framework", "--codec", *_NAMES])


def _names(text: str) -> frozenset[str]:
    return frozenset(filter(None, (name.strip() for name in text.split(","))))
