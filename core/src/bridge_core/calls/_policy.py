"""What dynamic calls may reach: deny by default, judged by the name that leads there and by what is found there."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from types import ClassMethodDescriptorType, MethodDescriptorType, ModuleType, WrapperDescriptorType
from typing import Any

from bridge_core._models import FrameworkInfo

from ._located import Located, home_of, is_method, qualname_of, receiver_of, underlying
from ._names import Names, check_segment, refusal
from ._plain import PLAIN

__all__ = ["Policy"]

# A way around everything here, in classes and modules that look harmless: texts that walk attributes, texts that name
# attributes, pickles.
_NEVER = [
    "builtins.str.format", "builtins.str.format_map", "collections.UserString.format",
    "collections.UserString.format_map", "functools.update_wrapper", "functools.wraps", "operator.attrgetter",
    "operator.methodcaller", "os.environ", "os.environb", "pydantic.BaseModel.parse_file",
    "pydantic.BaseModel.parse_raw", "pydantic.v1.BaseModel.parse_file", "pydantic.v1.BaseModel.parse_raw",
    "string.Formatter.format", "string.Formatter.get_field", "string.Formatter.vformat",
]  # fmt: skip
_SCALARS = frozenset([bool, bytes, complex, float, int, str, type(None)])
_FIXED = _SCALARS | {frozenset, tuple}
_CONTAINERS = frozenset(PLAIN) - _SCALARS - {range}
# Values that may be the same object although they have nothing to do with each other.
_SHARED = frozenset([bool, bytes, complex, float, frozenset, int, str, tuple, type(None)])

_DESCRIPTORS = (ClassMethodDescriptorType, MethodDescriptorType, WrapperDescriptorType)


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
        self._all_names = (self._allow, self._vouched, self._replaced)
        self._replaced_objects = Located(self._stand_ins)
        self._allowed_objects = Located(name for name in allow if not name.endswith(".*"))
        never = [] if allow_any else [name for name in _NEVER if name not in allow]
        self._denied_objects = Located([name for name in deny if not name.endswith(".*")] + never)
        self._vouched_objects = Located(vouched)

    def may_import(self, module: str) -> bool:
        """Whether a module may be imported: it is allowed, or something below it is."""
        if self._deny.holds(module):
            return False
        return self._allows_module(module) or any(names.leads_to(module) for names in self._all_names)

    def could_mean(self, target: str) -> bool:
        """Whether a dotted name may turn out to be allowed: for any other one, nothing needs to be imported."""
        if self._deny.lists(target):
            return False
        parts = target.split(".")
        return self.allow_any or any(
            names.lists(".".join(parts[:end])) for names in self._all_names for end in range(1, len(parts) + 1)
        )

    def stand_in(self, name: str) -> str | None:
        """Return what a plugin gives in place of a callable; None if there is nothing, or the operator allows it."""
        if self._deny.lists(name) or self._allows_name(name):
            return None
        return self._stand_ins.get(name)

    def stand_in_of(self, value: object) -> str | None:
        """Return what a plugin gives in place of calling such an object; None as for `stand_in`."""
        name = self._replaced_objects.listed_member(type(value), "__call__")
        if name is None or self.denies(name) or self.allow_any or self._at_home(type(value)):
            return None
        return self._stand_ins[name]

    def denies(self, name: str) -> bool:
        """Whether the operator denies a name, or what it is in."""
        parts = name.split(".")
        return any(self._deny.holds(".".join(parts[:end])) for end in range(1, len(parts) + 1))

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
        if last or not any(names.leads_to(name) for names in self._all_names):
            raise refusal(target, f"{own!r} is neither allowed by the operator nor vouched for by a plugin")

    def check_value(self, target: str, module: str, name: str, value: object) -> None:
        """Refuse what a module has under a name that may be read; arguments as for `check_name`.

        Raises:
            TargetNotAllowedError: It is a module or a callable from elsewhere, or is denied.
        """
        if isinstance(value, ModuleType):
            if not self.may_import(value.__name__):
                raise refusal(target, f"it leads through the module {value.__name__!r}")
        elif self._lists(name, f"{module}.{name.rpartition('.')[2]}") or not callable(value):
            self._check_not_denied(target, value)
        elif self._allows_module(module):
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
        else:
            self._check_not_denied(target, value)

    def check_argument(self, target: str, value: object) -> None:
        """Refuse an argument that is, or has in containers of Python's own, what must not be handed to a callable.

        Raises:
            TargetNotAllowedError: A module, a callable that is not allowed, or an object that has a stand-in.
        """
        waiting, seen = [value], set()
        while waiting:
            one = waiting.pop()
            kind = type(one)
            if kind in _CONTAINERS:
                items: Any = one
                held = [*items, *items.values()] if issubclass(kind, dict) else items
                if id(one) not in seen and not set(map(type, held)) <= _SCALARS:
                    seen.add(id(one))
                    waiting.extend(held)
            elif kind not in _SCALARS:
                if self.stand_in_of(one) is not None:
                    raise refusal(target, f"{_kind(one)} is called with arguments that its plugin has checked only")
                self.check_object(target, one)

    def check_callable(self, target: str, value: object, name: str = "") -> None:
        """Refuse a callable: function, class, method or object.

        Args:
            target: What is asked for, for the message.
            value: The callable.
            name: The name by which an object has it, if it is a member of one.

        Raises:
            TargetNotAllowedError: It is denied, or does not belong to anything that is allowed.
        """
        self._check_not_denied(target, value)
        if self.allow_any or self._vouched_objects.has(value) or self._allowed_objects.has(underlying(value)):
            return
        if isinstance(value, functools.partial):
            self._check_partial(target, value)
            return
        receiver = receiver_of(value)
        if receiver is not None:
            own = getattr(value, "__name__", "")
            is_its = any(is_method(receiver, value, one) for one in (name, own)) or self._at_home(value)
            if not is_its or not self._allows_member(receiver, own):
                raise refusal(target, f"{name or own!r} is a method of {_kind(receiver)}, which is not allowed")
        elif not self._at_home(value) and not self._calls_listed(type(value)):
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
        if isinstance(owner, ModuleType):
            raise refusal(target, f"it leads through the module {owner.__name__!r}")
        holder = owner if isinstance(owner, type) else kind
        if self._denies_member(holder, name):
            raise refusal(target, f"{name!r} of {_kind(owner)} is denied")
        if self.allow_any or self._at_home(holder):
            if isinstance(owner, type):
                self._check_metaclass(target, owner, name)
        elif not (self._vouched_objects.has(kind) or self._lists_member(holder, name)):
            raise refusal(target, f"{_kind(owner)} is not allowed")

    def check_member(self, target: str, owner: object, name: str, value: object) -> None:
        """Refuse what an object has under a name that may be read.

        Raises:
            TargetNotAllowedError: It is a module, or a callable that is not allowed.
        """
        if isinstance(value, ModuleType):
            raise refusal(target, f"it leads through the module {value.__name__!r}")
        holder = owner if isinstance(owner, type) else type(owner)
        if not callable(value) or self._lists_member(holder, name):
            self._check_not_denied(target, value)
            if type(value) not in _FIXED and not self._may_change(holder) and _of_class(holder, name):
                raise refusal(target, f"{name!r} is of the class {_kind(owner)}, which all sessions share")
        else:
            self.check_callable(target, value, name)

    def check_change(self, target: str, owner: object, name: str) -> None:
        """Refuse to set a name of an object.

        Raises:
            TargetNotAllowedError: It is a module, class, function or value of Python's own types, or not allowed.
        """
        check_segment(target, name, last=False)
        kind = type(owner)
        if isinstance(owner, (ModuleType, type)) or kind in PLAIN or kind.__module__ == "builtins":
            raise refusal(target, f"{name!r} of {_kind(owner)} cannot be set")
        allowed = self.allow_any or self._at_home(kind) or self._lists_member(kind, "__setattr__")
        if not allowed or self._denies_member(kind, name):
            raise refusal(target, f"{_kind(owner)} is not allowed to be changed")

    def _may_change(self, kind: type) -> bool:
        """Whether what objects of a class share may be changed: the operator allows all of its library."""
        return kind in PLAIN or self.allow_any or self._at_home(kind)

    def _lists(self, *names: str) -> bool:
        return any(listed.names(name) for listed in (self._allow, self._vouched) for name in names)

    def _lists_member(self, kind: type, name: str) -> bool:
        """Whether a name of exactly this class is listed."""
        return any(one.has_member(kind, name) for one in (self._vouched_objects, self._allowed_objects))

    def _calls_listed(self, kind: type) -> bool:
        return self._lists_member(kind, "__call__") or self._replaced_objects.has_member(kind, "__call__")

    def _check_partial(self, target: str, value: functools.partial[Any]) -> None:
        if self.stand_in_of(value.func) is not None:
            raise refusal(target, "it would call what is only called with arguments that a plugin has checked")
        self.check_callable(target, value.func)

    def _check_not_denied(self, target: str, value: object) -> None:
        function = underlying(value)
        if type(function) in _SHARED:
            return
        if self._denies(function) or self._denies_object(function):
            raise refusal(target, f"{home_of(function)}.{qualname_of(function) or _kind(function)} is denied")
        if isinstance(value, functools.partial):
            self._check_not_denied(target, value.func)

    def _denies(self, value: object) -> bool:
        """Whether a function or class is denied: itself, what it is defined in, or its module."""
        if self._denied_objects.has_function(value):
            return True
        if isinstance(value, _DESCRIPTORS) and value.__objclass__ in PLAIN:  # `builtins` is not about what lists do
            return False
        home, parts = home_of(value), qualname_of(value).split(".")
        names = (".".join([home, *parts[:end]]) for end in range(1, len(parts) + 1))
        return self._deny.holds(home) or any(map(self._deny.lists, names))

    def _denies_object(self, value: object) -> bool:
        """Whether the class of an object is denied, or that such objects are called."""
        kind = type(value)
        if kind.__module__ == "builtins":  # of functions and classes, which are judged by themselves
            return False
        return self._denies(kind) or (callable(value) and self._denies_member(kind, "__call__"))

    def _denies_member(self, kind: type, name: str) -> bool:
        """Whether a class is denied, or a name of it."""
        if self._denies(kind) or self._deny.lists(f"{home_of(kind)}.{kind.__qualname__}.{name}"):
            return True
        for one in kind.__mro__:
            if name in vars(one):
                held = vars(one)[name]
                listed = self._denied_objects.has_member(one, name)
                return listed or (hasattr(type(held), "__get__") and self._denied_objects.has_function(held))
        return False

    def _check_metaclass(self, target: str, owner: type, name: str) -> None:
        """Refuse what a class has from a metaclass that is not allowed, such as Python's own `mro`."""
        if self.allow_any or any(name in vars(one) for one in owner.__mro__):
            return
        metaclass: type = type(owner)
        for one in metaclass.__mro__:
            if name in vars(one) and not self._at_home(one):
                raise refusal(target, f"{name!r} is of the metaclass {one.__name__!r}")

    def _allows_member(self, receiver: object, name: str) -> bool:
        """Whether a public name of an object is allowed: its class, or the class that it is, is the operator's."""
        if self.allow_any or self._at_home(receiver if isinstance(receiver, type) else type(receiver)):
            return True
        return type(receiver) in PLAIN and name in PLAIN[type(receiver)]

    def _at_home(self, value: object) -> bool:
        """Whether a callable or class is of a module that is allowed."""
        if self._denied_objects.has(value):
            return False
        home = home_of(value)
        return (self._allow.covers(home) and not self._deny.holds(home)) or self._allowed_objects.has(value)

    def _allows_module(self, module: str) -> bool:
        return (self.allow_any or self._allow.lists(module)) and not self._deny.holds(module)

    def _allows_name(self, name: str) -> bool:
        return self._allow.names(name) or self._allows_module(name.rpartition(".")[0])


def _of_class(kind: type, name: str) -> bool:
    """Whether objects have a name from their class, and no value of their own by way of a property."""
    held = next((vars(one)[name] for one in kind.__mro__ if name in vars(one)), None)
    return held is not None and not hasattr(type(held), "__get__")


def _kind(value: object) -> str:
    kind = value if isinstance(value, type) else type(value)
    return f"{kind.__module__}.{kind.__qualname__}"
