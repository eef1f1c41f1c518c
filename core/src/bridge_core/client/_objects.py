"""What a session knows of its live objects: whose worker holds them, and what stands for them on either side."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from bridge_core.errors import FrameworkNotFoundError, InvalidArgumentsError, RefLostError, RefNotFoundError

from ._arguments import SentArguments, dynamic_arguments
from ._bindings import Binding
from ._link import Link
from ._refs import AnyRef, Home, RefItem
from ._steps import Step
from ._verbs import Verb

__all__ = ["MakeRef", "Objects"]

# Their results may hold live objects.
_WITH_REFS = frozenset(["call", "pipeline", "retrieve"])
_STORED = "stored"
_MOST_KNOWN = 10_000  # ids whose worker is remembered; the oldest are forgotten
_LOST = -1  # the number of no worker
_CONTAINERS = frozenset([dict, list])

R_co = TypeVar("R_co", bound=AnyRef, covariant=True)


class MakeRef(Protocol[R_co]):
    """Makes a ref."""

    def __call__(self, home: Home, id: str, type: str = "", repr: str = "") -> R_co:
        """Return it."""


class Objects:
    """Addresses the verbs of one session, and gives refs for the live objects in their results.

    Args:
        session_id: The session.
        bindings: Its ties to the workers, by framework; the first is the default one's.
    """

    def __init__(self, session_id: str, bindings: Mapping[str, Binding]) -> None:
        self._session_id = session_id
        self._bindings = bindings
        self._default = next(iter(bindings.values()))
        self._several = len(bindings) > 1
        self._known: dict[str, str] = {}
        self._changing = threading.Lock()

    def bound(self, framework: str | None) -> Binding:
        """Return the tie to the worker of a framework, the default one if None.

        Raises:
            FrameworkNotFoundError: The Bridge does not have it.
        """
        if framework is None:
            return self._default
        binding = self._bindings.get(framework)
        if binding is None:
            known = ", ".join(self._bindings)
            raise FrameworkNotFoundError(f"this Bridge has no framework {framework!r}, only {known}")
        return binding

    def used(self) -> list[str]:
        """Return the frameworks whose workers may hold objects, at least one."""
        live = [name for name, one in self._bindings.items() if one.number and one.slot.current is not None]
        return live or [self._default.slot.framework]

    def request(self, verb: Verb) -> tuple[Binding, SentArguments]:
        """Return to whom a verb is sent, and its arguments as they are sent.

        Raises:
            InvalidArgumentsError: An argument has no form on the wire, or an object is of another session or worker.
            FrameworkNotFoundError: See `bound`.
            RefLostError: An object was lost with its worker.
            RefNotFoundError: An object was released.
        """
        address = _Address(self, self._meant(verb), verb.steps)
        if verb.ref is not None:
            address.use(verb.ref)
        guessed = address.binding or self._default
        sent = dynamic_arguments(verb.operation, verb.arguments, address.form, native=_native(guessed))
        binding = address.binding or self._default
        if _native(binding) != _native(guessed):
            sent = dynamic_arguments(verb.operation, verb.arguments, address.form, native=_native(binding))
        # Also if it fails: a pipeline may have stored something before that.
        self._note([key for key in verb.stores if key not in self._known], binding.slot.framework)
        return binding, sent

    def result(self, verb: Verb, binding: Binding, link: Link, answer: Any, make: MakeRef[AnyRef]) -> Any:
        """Return what the caller of a verb gets, from its operation's result."""
        self._learn(verb, binding.slot.framework)
        result = verb.take(answer)
        if verb.operation not in _WITH_REFS:
            return result
        worker = binding.slot.current
        number = worker.number if worker is not None and worker.link is link else _LOST
        home = Home(binding.slot, number, self._session_id)

        def made(mark: Mapping[str, Any]) -> AnyRef:
            self._note([mark["$ref"]], binding.slot.framework)
            return make(home, mark["$ref"], mark.get("type", ""), mark.get("repr", ""))

        return _with_refs(result, made)

    def named(self, id: str, framework: str | None, make: MakeRef[R_co]) -> R_co:
        """Return a ref for an object that is known by its id alone."""
        if not isinstance(id, str):
            raise InvalidArgumentsError(f"$.id: expected an id, a string, got {id!r:.100}", path="$.id")
        binding = self.bound(framework or self._known.get(id))
        return make(Home(binding.slot, 0, self._session_id), id)

    def binding_of(self, ref: AnyRef) -> Binding:
        """Return the tie to the worker that holds an object.

        Raises:
            InvalidArgumentsError: The object is of another session.
            RefLostError: It was lost with its worker.
            RefNotFoundError: It was released.
        """
        home = ref._home
        binding = self._bindings.get(home.slot.framework)
        if binding is None or binding.slot is not home.slot or home.session_id != self._session_id:
            raise InvalidArgumentsError(f"{ref!r} is of another session; only that one has the object", path="$")
        if ref._released:
            raise RefNotFoundError(f"{ref!r} was released", id=ref.id)
        worker = binding.slot.current
        newest = binding.number if worker is None else max(binding.number, worker.number)
        if home.number == _LOST or 0 < home.number < newest:
            raise RefLostError(f"{ref!r} was lost with the worker that held it; make it again", id=ref.id)
        return binding

    def _meant(self, verb: Verb) -> Binding | None:
        """Return to whom the verb itself says that it is to be sent."""
        if verb.ref is not None:  # which says it: workers may have objects with the same id
            return None
        if verb.framework is not None:
            return self.bound(verb.framework)
        if not self._several:
            return self._default
        named = {name for name in map(self._framework_of, verb.targets) if name is not None}
        if len(named) > 1:
            text = f"one pipeline cannot use the workers of {' and '.join(sorted(named))}"
            raise InvalidArgumentsError(text, path="$.steps")
        return self._bindings[named.pop()] if named else None

    def _framework_of(self, target: object) -> str | None:
        """Return the framework that a target names, or whose worker holds the object that it names."""
        if not isinstance(target, str):
            return None
        first, _, rest = target.partition(".")
        if first != _STORED:
            return first if first in self._bindings else None
        while rest:
            if rest in self._known:
                return self._known[rest]
            rest = rest.rpartition(".")[0]
        return None

    def _learn(self, verb: Verb, framework: str) -> None:
        self._note(verb.stores, framework)
        if verb.operation == "delete_stored" and self._known.get(verb.arguments["id"]) == framework:
            self._known.pop(verb.arguments["id"], None)

    def _note(self, ids: Sequence[str], framework: str) -> None:
        """Keep in mind whose worker holds these objects."""
        if not self._several or not ids:
            return
        with self._changing:
            for key in ids:
                self._known.pop(key, None)
                self._known[key] = framework
            while len(self._known) > _MOST_KNOWN:
                del self._known[next(iter(self._known))]


class _Address:
    """Finds out to whom one verb has to be sent, while its arguments are encoded."""

    def __init__(self, objects: Objects, binding: Binding | None, steps: tuple[Step, ...]) -> None:
        self._objects = objects
        self._steps = steps
        self.binding = binding

    def use(self, ref: AnyRef) -> None:
        """Take an object into account: what is sent must go to its worker."""
        binding = self._objects.binding_of(ref)
        if self.binding is None:
            self.binding = binding
        elif binding is not self.binding:
            there, here = ref.framework, self.binding.slot.framework
            raise InvalidArgumentsError(f"{ref!r} is in the worker of {there}, not in that of {here}", path="$")

    def form(self, value: object) -> dict[str, Any] | None:
        """Return what names a live object in arguments; None for anything else."""
        form: dict[str, Any]
        owner = value.owner if isinstance(value, RefItem) else value
        if isinstance(owner, AnyRef):
            self.use(owner)
            form = {"$ref": owner.id}
        elif isinstance(owner, Step):
            numbers = [number for number, step in enumerate(self._steps) if step is owner]
            if not numbers:
                raise InvalidArgumentsError(f"{owner!r} is no step of this pipeline", path="$")
            form = {"$step": numbers[0]}
        else:
            return None
        return {**form, "path": [*value.path]} if isinstance(value, RefItem) else form


def _native(binding: Binding) -> bool:
    return binding.slot.settings.codec == "msgpack"


def _with_refs(value: Any, make: Callable[[Mapping[str, Any]], AnyRef]) -> Any:
    """Return a result with refs in place of what names a live object; containers are changed, not copied.

    A dict that happens to have the key `$ref` is not sent as one: it comes as pairs.
    """
    if type(value) is dict:
        if "$ref" in value:
            return make(value)
        for key, item in value.items():
            if type(item) in _CONTAINERS:
                value[key] = _with_refs(item, make)
    elif type(value) is list and not _CONTAINERS.isdisjoint(map(type, value)):
        value[:] = [_with_refs(item, make) if type(item) in _CONTAINERS else item for item in value]
    return value
