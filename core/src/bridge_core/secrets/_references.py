"""References to secrets in configurations: where a value is to be taken from, in place of the value."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Collection, Mapping
from typing import Any, Literal

from bridge_core.errors import InvalidConfigError, SecretNotAllowedError, ValueTooComplexError

from ._redactor import LONGEST, Redactor

__all__ = ["Marked", "SecretReferences"]

_ENV, _FILE, _SECRET = "$env", "$file", "$secret"
_KINDS = (_ENV, _FILE, _SECRET)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_MAX_DEPTH = 128
_MAX_NODES = 100_000
_MAX_BYTES = 4 * LONGEST


class Marked:
    """A value that is sent as `{"$secret": VALUE}`, by which the worker knows that it must not show it."""

    def __init__(self, value: str) -> None:
        self._value = value

    def __repr__(self) -> str:
        return "Marked(…)"

    def form(self) -> dict[str, str]:
        """Return it as it is sent."""
        return {_SECRET: self._value}


class SecretReferences:
    """Resolves `{"$env": NAME}`, `{"$file": PATH}` and `{"$secret": VALUE}` in configurations.

    Args:
        redactor: Told of every value before anybody else has it.
        environ: Returns the variables that `$env` means; this process's by default.
        allowed: The only names that `$env` may have; any when None.
        files: Whether `$file` may be used.
        resolved: What stands for a reference: the "value", or a `Marked` one, to be sent to a worker.
    """

    def __init__(
        self,
        redactor: Redactor,
        *,
        environ: Callable[[], Mapping[str, str]] = lambda: os.environ,
        allowed: Collection[str] | None = None,
        files: bool = True,
        resolved: Literal["value", "marked"] = "value",
    ) -> None:
        self._redactor = redactor
        self._environ = environ
        self._allowed = allowed
        self._files = files
        self._marked = resolved == "marked"

    def resolve(self, config: Any, *, holder: object = None) -> Any:
        """Return a configuration with values in place of references, itself if it has none.

        Args:
            config: The configuration; it is not changed.
            holder: Who has the values from now on: see Redactor.add.

        Raises:
            InvalidConfigError: A reference is wrong or leads nowhere; `details.path` says which.
            SecretNotAllowedError: It may not be used; `details.path` says which.
            StoreFullError: Too many secrets are in use.
            ValueTooComplexError: The configuration is too large.
        """
        return _Walk(self, holder).resolved(config, "$", 0)

    def _value(self, kind: str, given: object, path: str) -> str:
        if not isinstance(given, str):
            raise _wrong(path, f"expected a text behind `{kind}`")
        if kind == _ENV:
            value = self._variable(given, path)
        elif kind == _FILE:
            value = self._content(given, path)
        else:
            value = given
        if len(value) > LONGEST:
            raise _wrong(path, f"the value behind `{kind}` is longer than {LONGEST} characters, which is the limit")
        try:
            value.encode()
        except UnicodeEncodeError:
            raise _wrong(path, f"the value behind `{kind}` is no Unicode text") from None
        return value

    def _variable(self, name: str, path: str) -> str:
        if not _NAME.fullmatch(name):  # and not shown: it may be the value itself
            raise _wrong(path, "expected the name of an environment variable behind `$env`")
        if self._allowed is not None and name not in self._allowed:
            raise SecretNotAllowedError(
                f"{path}: peers of this worker may not refer to the environment variable {name}; "
                "list it as `env` under `[secrets]` in the worker's configuration",
                path=path,
                name=name,
            )
        value = self._environ().get(name)
        if value is None:
            raise _wrong(path, f"the environment variable {name} is not set")
        return value

    def _content(self, name: str, path: str) -> str:
        if not self._files:
            raise SecretNotAllowedError(
                f'{path}: peers may not refer to files; send the value as {{"$secret": …}}, or refer to an '
                "environment variable that the worker's configuration lists",
                path=path,
            )
        try:
            content = _read(name).decode()
            return content[:-2] if content.endswith("\r\n") else content.removesuffix("\n")
        except UnicodeDecodeError:
            raise _wrong(path, f"the file {name!r} is no UTF-8 text") from None
        except OSError as exc:
            raise _wrong(path, f"the file {name!r} cannot be read: {exc.strerror}") from None
        except ValueError as exc:
            raise _wrong(path, f"the file {name!r} {exc}") from None


class _Walk:
    """One pass through a configuration."""

    def __init__(self, references: SecretReferences, holder: object) -> None:
        self._references = references
        self._holder = holder
        self._nodes = 0

    def resolved(self, value: Any, path: str, depth: int) -> Any:
        """Return a value without references; itself, if it has none."""
        self._nodes += 1
        if depth > _MAX_DEPTH or self._nodes > _MAX_NODES:
            raise ValueTooComplexError(f"{path[:200]}: the configuration is nested too deeply or has too many parts")
        if isinstance(value, Mapping):
            for kind in _KINDS:
                if kind in value:
                    return self._referred(kind, value, path)
            items = {key: self.resolved(item, f"{path}.{key}", depth + 1) for key, item in value.items()}
            return items if any(items[key] is not item for key, item in value.items()) else value
        if isinstance(value, (list, tuple)):
            parts = [self.resolved(item, f"{path}[{index}]", depth + 1) for index, item in enumerate(value)]
            return parts if any(new is not old for new, old in zip(parts, value, strict=True)) else value
        return value

    def _referred(self, kind: str, reference: Mapping[str, Any], path: str) -> Any:
        if len(reference) != 1:
            raise _wrong(path, f"a reference with `{kind}` has no other keys")
        references = self._references
        value = references._value(kind, reference[kind], path)
        references._redactor.add(value, holder=self._holder)
        return Marked(value) if references._marked else value


def _read(name: str) -> bytes:
    """Return what is in a file.

    Raises:
        OSError: It cannot be read.
        ValueError: It is none, or too long; the text goes behind its name.
    """
    if "\0" in name:
        raise ValueError("has a name that no file can have")
    fd = os.open(name, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)  # never waits, whatever it is
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise ValueError("is no regular file")
        content = bytearray()
        while len(content) <= _MAX_BYTES and (more := os.read(fd, _MAX_BYTES + 1 - len(content))):
            content += more
    finally:
        os.close(fd)
    if len(content) > _MAX_BYTES:
        raise ValueError(f"is longer than {_MAX_BYTES} bytes, which is the limit")
    return bytes(content)


def _wrong(path: str, problem: str) -> InvalidConfigError:
    return InvalidConfigError(f"{path}: {problem}", path=path)
