"""What dynamic calls may reach: deny by default, judged by the name that leads there and by what is found there."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from types import ModuleType

from bridge_core._models import FrameworkInfo

from ._located import Located, home_of, receiver_of, underlying
from ._names import Names, refusal
from ._plain import PLAIN

__all__ = ["Policy"]

# Inherited by classes of any library, and a way around everything here: texts that walk attributes, pickles.
_NEVER = [
    "builtins.str.format", "builtins.str.format_map", "pydantic.BaseModel.parse_file", "pydantic.BaseModel.parse_raw",
    "pydantic.v1.BaseModel.parse_file", "pydantic.v1.BaseModel.parse_raw",
]  # fmt: skip


class Policy:
    """Judges modules, callables, attributes and objects; it imports nothing and calls nothing.

    Two kinds of trust: of what the operator allows, all public names and all methods of objects; of what plugins vouch
    for, the named callables and, on objects of the named classes, what is no callable.

    Args:
        allow: What the operator allows: modules (`NAME`, with submodules `NAME.*`) and callables.
        deny: The same for what stays out whatever allows it.
        allow_any: Whether everything else is allowed.
        plugins: What the plugins in use vouch for, by framework.
    """

    def __init__(
        self,
        *,
        allow: Iterable[str] = (),
        deny: Iterable[str] = (),
        allow_any: bool = False,
        plugins: Mapping[str, FrameworkInfo] | None = None,
    ) -> None:
        allow, deny = list(allow), list(deny)
        infos = (plugins or {}).values()
        vouched = [name for info in infos for name in info.callables]
        self.allow_any = allow_any
        self._allow, self._deny = Names(allow), Names(deny)
        self._vouched = Names(vouched)
        self._stand_ins = {name: its for info in infos for name, its in info.stand_ins.items()}
        self._replaced = Names(self._stand_ins)
        self._replaced_objects = Located(self._stand_ins)
        self._allowed_objects = Located(name for name in allow if not name.endswith(".*"))
        self._denied_objects = Located([name for name in deny if not name.endswith(".*")] + [*_NEVER] * (not allow_any))
        self._vouched_objects = Located(vouched)

    def may_import(self, module: str) -> bool:
        """Whether a module may be imported: it is allowed, or something below it is."""
        if self._deny.lists(module):
            return False
        return self._allows_module(module) or any(
            names.leads_to(module) for names in (self._allow, self._vouched, self._replaced)
        )

    def stand_in(self, name: str) -> str | None:
        """Return what a plugin gives in place of a callable; None if there is nothing, or the operator allows it."""
        if self._deny.lists(name) or self._allows_name(name):
            return None
        return self._stand_ins.get(name)

    def stand_in_of(self, value: object) -> str | None:
        """Return what a plugin gives in place of calling such an object; None as for `stand_in`."""
        name = self._replaced_objects.listed_member(type(value), "__call__")
        if name is None or self.allow_any or self._allows_members(value):
            return None
        return self._stand_ins[name]

    def denies(self, name: str) -> bool:
        """Whether the operator denies a name."""
        return self._deny.lists(name)

    def check_name(self, target: str, module: str, name: str, *, last: bool) -> None:
        """Refuse to read a name of a module.

        Args:
            target: What is asked for, for the message.
            module: The module's own name.
            name: The whole name by which it is reached.
            last: Whether the target ends here.

        Raises:
            TargetNotAllowedError: Neither the name nor the module is allowed.
        """
        own = f"{module}.{name.rpartition('.')[2]}"
        if self._deny.lists(name) or self._deny.lists(own):
            raise refusal(target, f"{name!r} is denied by the operator")
        if self._allows_module(module) or self._lists(name, own):
            return
        if last or not any(names.leads_to(name) for names in (self._allow, self._vouched, self._replaced)):
            raise refusal(target, f"{own!r} is neither allowed by the operator nor vouched for by a plugin")

    def check_value(self, target: str, module: str, name: str, value: object) -> None:
        """Refuse what a module has under a name that may be read; arguments as for `check_name`.

        Raises:
            TargetNotAllowedError: It is a module or a callable from elsewhere, or is denied.
        """
        if isinstance(value, ModuleType):
            if not self.may_import(value.__name__):
                raise refusal(target, f"it leads through the module {value.__name__!r}")
        elif self._lists(name, f"{module}.{name.rpartition('.')[2]}"):
            self._check_not_denied(target, value)
        elif self._allows_module(module) and callable(value):
            self.check_callable(target, value)

    def check_object(self, target: str, value: object) -> None:
        """Refuse a stored object or an argument if it is a module, or a callable that is not allowed.

        Raises:
            TargetNotAllowedError: It is.
        """
        if isinstance(value, ModuleType):
            raise refusal(target, f"it is the module {value.__name__!r}")
        if callable(value):
            self.check_callable(target, value)

    def check_callable(self, target: str, value: object) -> None:
        """Refuse a callable: function, class, method or object.

        Raises:
            TargetNotAllowedError: It is denied, or does not belong to anything that is allowed.
        """
        self._check_not_denied(target, value)
        if self.allow_any or self._vouched_objects.has(value) or self._allowed_objects.has(underlying(value)):
            return
        if isinstance(value, functools.partial):
            self.check_callable(target, value.func)
            return
        receiver = receiver_of(value)
        if receiver is not None:
            name = getattr(value, "__name__", "")
            if not (_has(receiver, name) and self._allows_member(receiver, name)):
                raise refusal(target, f"{name!r} is a method of {_kind(receiver)}, which is not allowed")
        elif not self._at_home(value) and not self._calls_vouched(type(value)):
            raise refusal(target, f"it is of {home_of(value) or type(value).__name__!r}, which is not allowed")

    def check_owner(self, target: str, owner: object, name: str) -> None:
        """Refuse to read a name of an object that is no module.

        Raises:
            TargetNotAllowedError: Objects of its type are closed, or this name of it is.
        """
        kind = type(owner)
        if kind in PLAIN:
            if name not in PLAIN[kind]:
                raise refusal(target, f"{name!r} is not among what may be used of a {kind.__name__}")
            return
        if self.allow_any or self._allows_members(owner):
            if isinstance(owner, type) and not any(name in vars(one) for one in owner.__mro__):
                self._check_metaclass(target, owner, name)
            return
        vouched = self._vouched_objects
        if not (vouched.has(kind) or vouched.has_member(kind, name)):
            raise refusal(target, f"{_kind(owner)} is not allowed")

    def check_member(self, target: str, owner: object, name: str, value: object) -> None:
        """Refuse what an object has under a name that may be read.

        Raises:
            TargetNotAllowedError: It is a module, or a callable that is not allowed.
        """
        if isinstance(value, ModuleType):
            if not self.may_import(value.__name__):
                raise refusal(target, f"it leads through the module {value.__name__!r}")
            return
        if not callable(value):
            return
        receiver = receiver_of(value)
        if receiver is owner or receiver is type(owner):
            self._check_not_denied(target, value)
            kind = type(owner)
            if kind in PLAIN or self._allows_member(receiver, name):
                return
            if receiver is not owner or not self._vouched_objects.has_member(kind, name):
                raise refusal(target, f"{name!r} of {_kind(owner)} is not vouched for")
            return
        self.check_callable(target, value)

    def check_change(self, target: str, owner: object, name: str) -> None:
        """Refuse to set a name of an object.

        Raises:
            TargetNotAllowedError: It is a module, class, function or value of Python's own types, or not allowed.
        """
        if isinstance(owner, (ModuleType, type)) or type(owner) in PLAIN or name.startswith("_"):
            raise refusal(target, f"{name!r} of {_kind(owner)} cannot be set")
        allowed = self.allow_any or self._allows_members(owner)
        if not allowed and not self._vouched_objects.has_member(type(owner), "__setattr__"):
            raise refusal(target, f"{_kind(owner)} is not allowed to be changed")

    def _lists(self, *names: str) -> bool:
        return any(listed.names(name) for listed in (self._allow, self._vouched) for name in names)

    def _calls_vouched(self, kind: type) -> bool:
        listed = (self._vouched_objects, self._replaced_objects)
        return any(one.has_member(kind, "__call__") for one in listed)

    def _check_not_denied(self, target: str, value: object) -> None:
        function = underlying(value)
        name = f"{home_of(function)}.{getattr(function, '__qualname__', '')}"
        if self._denied_objects.has_function(function) or self._deny.lists(name):
            raise refusal(target, f"{name} is denied")
        if isinstance(value, functools.partial):
            self._check_not_denied(target, value.func)

    def _check_metaclass(self, target: str, owner: type, name: str) -> None:
        """Refuse what a class has from a metaclass that is not allowed, such as Python's own `mro`."""
        if not self.allow_any and not self._at_home(type(owner)):
            raise refusal(target, f"{name!r} is of the metaclass {type(owner).__name__!r}")

    def _allows_member(self, receiver: object, name: str) -> bool:
        if self.allow_any or self._allows_members(receiver):
            return True
        return type(receiver) in PLAIN and name in PLAIN[type(receiver)]

    def _allows_members(self, owner: object) -> bool:
        """Whether all public names of an object are allowed: its class, or the class that it is, is the operator's."""
        return self._at_home(owner if isinstance(owner, type) else type(owner))

    def _at_home(self, value: object) -> bool:
        """Whether a callable or class is of a module that is allowed."""
        if self._denied_objects.has(value):
            return False
        home = home_of(value)
        return (self._allow.covers(home) and not self._deny.lists(home)) or self._allowed_objects.has(value)

    def _allows_module(self, module: str) -> bool:
        return (self.allow_any or self._allow.lists(module)) and not self._deny.lists(module)

    def _allows_name(self, name: str) -> bool:
        return self._allow.names(name) or self._allows_module(name.rpartition(".")[0])


def _kind(value: object) -> str:
    kind = value if isinstance(value, type) else type(value)
    return f"{kind.__module__}.{kind.__qualname__}"


def _has(receiver: object, name: str) -> bool:
    """Whether a method is its receiver's by that name, and not a foreign function that was bound to it."""
    kind = receiver if isinstance(receiver, type) else type(receiver)
    return any(name in vars(one) for one in kind.__mro__)
