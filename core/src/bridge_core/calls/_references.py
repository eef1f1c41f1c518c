"""References in arguments: live objects, parts of them, results of earlier steps, and literals that look alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bridge_core._context import Session
from bridge_core.errors import InvalidArgumentsError, RefNotFoundError

from ._plain import PLAIN
from ._targets import Targets

__all__ = ["References"]

_STRING = "stored."
# A reference may be sent back as it came, described.
_DESCRIBED = frozenset(["$ref", "path", "type", "repr"])
_SECRETS = frozenset(["$env", "$file", "$secret"])
_STEP = frozenset(["$step", "path"])


class References:
    """Resolves the references in the arguments of one call.

    Args:
        targets: The policy that holds for parts of objects.
        session: Whose objects are meant.
        strings: Whether the text `stored.<id>` means the object, if there is one.
        steps: The results of a pipeline's earlier steps.
        judge: Called with the name and each object; raises what keeps it from being used.
        reveal: Returns the value of a reference to a secret, where there may be some.
    """

    def __init__(
        self,
        targets: Targets,
        session: Session,
        *,
        strings: bool,
        steps: Sequence[Any] = (),
        judge: Callable[[str, Any], None] | None = None,
        reveal: Callable[[Any], Any] | None = None,
    ) -> None:
        self._targets = targets
        self._session = session
        self._strings = strings
        self._steps = steps
        self._judge = judge
        self._reveal = reveal
        self.objects: list[Any] = []
        """The live objects that were referred to."""

    def resolve(self, value: Any, path: str) -> Any:
        """Return an argument with live objects in place of the references to them.

        Args:
            value: Plain data.
            path: Where it is, for messages.

        Raises:
            RefNotFoundError: The session has no such object.
            TargetNotAllowedError: The policy keeps the object, or this part of it, from being used.
            InvalidArgumentsError: A reference is none; `details.path` says where.
        """
        if isinstance(value, str):
            return self._string(value) if self._strings and value.startswith(_STRING) else value
        if isinstance(value, list):
            return [self.resolve(item, f"{path}[{index}]") for index, item in enumerate(value)]
        if not isinstance(value, dict):
            return value
        if not any(isinstance(key, str) and key[:1] == "$" for key in value):  # MessagePack has others too
            return {key: self.resolve(item, f"{path}.{key}") for key, item in value.items()}
        keys = value.keys()
        if keys == {"$value"}:
            return value["$value"]
        if "$ref" in keys <= _DESCRIBED and isinstance(value["$ref"], str):
            found = self._session.objects.get(value["$ref"])
        elif "$step" in keys <= _STEP and type(value["$step"]) is int:
            found = self._step(value["$step"], path)
        elif self._reveal is not None and keys <= _SECRETS:
            return self._reveal(value)
        else:
            raise _invalid(path, 'keys that begin with $ make a reference; send other data as {"$value": …}')
        return self._used(found, value.get("path", []), value.get("$ref", "$step"), path)

    def _string(self, text: str) -> Any:
        try:
            found = self._session.objects.get(text[len(_STRING) :])
        except RefNotFoundError:
            return text
        return self._used(found, [], text, text)

    def _step(self, number: int, path: str) -> Any:
        if not 0 <= number < len(self._steps):
            done = f"0 to {len(self._steps) - 1}" if self._steps else "none yet"
            raise _invalid(path, f"there is no result of step {number}; earlier steps here: {done}")
        return self._steps[number]

    def _used(self, found: Any, steps: Any, name: str, path: str) -> Any:
        """Return a part of an object, when it may be used as an argument."""
        if not isinstance(steps, list):
            raise _invalid(f"{path}.path", "expected an array of indices and names")
        self.objects.append(found)
        for number, step in enumerate(steps, 1):
            found = self._part(found, step, name, path, last=number == len(steps))
        if self._judge is not None:
            self._judge(name, found)
        return found

    def _part(self, owner: Any, step: Any, name: str, path: str, *, last: bool) -> Any:
        """Return an item, or for a name that is no key an attribute."""
        if type(step) is int or (type(step) is str and _has_keys(owner)):
            self._targets.policy.check_owner(name, owner, "__getitem__")
            try:
                return owner[step]
            except (LookupError, TypeError) as exc:
                problem = f"{type(owner).__qualname__} has no item {_brief(step)}: {type(exc).__name__}"
                raise _invalid(f"{path}.path", problem) from None
        if type(step) is str:
            return self._targets.part(f"{name}.{step}", owner, step, last=last)
        raise _invalid(f"{path}.path", f"expected an index or a name, got {type(step).__name__}")


def _brief(step: int | str) -> str:
    text = ascii(step)
    return text if len(text) <= 100 else f"{text[:100]}…"


def _has_keys(owner: Any) -> bool:
    """Whether texts are keys of it rather than names: mappings, and what has `keys` as they do, such as data frames."""
    return isinstance(owner, Mapping) or (type(owner) not in PLAIN and hasattr(type(owner), "keys"))


def _invalid(path: str, problem: str) -> InvalidArgumentsError:
    return InvalidArgumentsError(f"{path}: {problem}", path=path)
