"""What users may import and how they call it is a decision: listed in public_api.txt, documented, in the changelog.

After a decision, write the list anew with `python -m contract.test_public_api > contract/public_api.txt` in `tests/`.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, get_origin

import pytest

from bridge_core.errors import BridgeError
from contract.sources import PACKAGES

NAMES = ["", ".client", ".compat", ".errors", ".protocol", ".secrets", ".testing"]
MODULES = [f"bridge_core{name}" for name in NAMES]
SNAPSHOT = Path(__file__).with_name("public_api.txt")
PROTOCOL_METHODS = {"__call__", "__len__", "__enter__", "__exit__"}


def public() -> str:
    """Return the public names, and how they are called, as the snapshot holds them."""
    return "".join(
        f"{line}\n"
        for module in MODULES
        for name in sorted(import_module(module).__all__)
        for line in described(f"{module}.{name}", getattr(import_module(module), name))
    )


def described(name: str, value: Any) -> Iterator[str]:
    """Yield a line for the name and, for a class of ours, one for each of its public members."""
    if not getattr(value, "__module__", "").startswith("bridge_core") or get_origin(value) is not None:
        yield name  # a constant, an alias, or somebody else's
    elif inspect.isclass(value) and issubclass(value, BridgeError) and value is not BridgeError:
        yield f"{name}: {value.code}, {value.reason}{', retryable' if value.retryable else ''}"
    elif inspect.isclass(value):
        yield name + ("" if getattr(value, "_is_protocol", False) else made_with(value))
        for member in sorted(vars(value)):
            if not member.startswith("_") or member in PROTOCOL_METHODS:
                yield from method(f"{name}.{member}", vars(value)[member])
    else:
        yield name + (signature(value) if inspect.isroutine(value) else "")


def method(name: str, value: Any) -> Iterator[str]:
    """Yield a line for a method or a property; fields are parameters of their class already."""
    if isinstance(value, property):
        yield f"{name}: property"
    elif isinstance(value, (classmethod, staticmethod)) or inspect.isfunction(value):
        yield name + signature(getattr(value, "__func__", value))


def made_with(cls: type) -> str:
    """Write what a class is made with."""
    init = vars(cls).get("__init__")
    return signature(init).replace("(self, ", "(").removesuffix(" -> None") if init else signature(cls)


def signature(value: Any) -> str:
    """Write a signature the same way on every Python: as in the source, defaults that are no literals as `...`."""
    found = inspect.signature(value)
    parameters = [shown(one) for one in found.parameters.values()]
    return str(found.replace(parameters=parameters, return_annotation=written(found.return_annotation)))


def shown(parameter: inspect.Parameter) -> inspect.Parameter:
    """Return a parameter whose annotation and default are printed as they were written."""
    default = parameter.default
    if default is not parameter.empty and type(default) not in {type(None), bool, int, float, str, tuple}:
        default = Written("...")
    return parameter.replace(annotation=written(parameter.annotation), default=default)


def written(annotation: Any) -> Any:
    """Return an annotation that is printed without quotes and without the modules of names."""
    if annotation is inspect.Parameter.empty:
        return annotation
    text = annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)
    return Written(re.sub(r"\b[a-z_]+(\.[a-z_]+)*\.(?=[A-Z])", "", text.strip("'")))


class Written:
    """Prints as the text that it was made of."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text


@pytest.mark.capability("D12")
def test_public_names_and_signatures_are_those_of_the_snapshot() -> None:
    assert public().splitlines() == SNAPSHOT.read_text("utf-8").splitlines()


class Sample:
    """A class as users might see it."""

    def __init__(self, name: str, *, size: int = 3, kept: object = sys) -> None: ...

    def _hidden(self) -> None: ...

    @property
    def length(self) -> int:
        """How long it is."""
        return 0

    def put(self, value: object, /) -> None:
        """Keep it."""


def test_changed_parameter_shows_in_the_snapshot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Sample, "__module__", "bridge_core")
    assert list(described("Sample", Sample)) == [
        "Sample(name: str, *, size: int = 3, kept: object = ...)",
        "Sample.length: property",
        "Sample.put(self, value: object, /) -> None",
    ]


@pytest.mark.parametrize("module", MODULES)
def test_every_public_name_exists_once(module: str) -> None:
    names = import_module(module).__all__
    assert len(names) == len(set(names))
    missing = [name for name in names if not hasattr(import_module(module), name)]
    assert not missing


def test_every_error_of_the_core_is_public() -> None:
    errors = import_module("bridge_core.errors")
    ours = {name for name, value in vars(errors).items() if inspect.isclass(value) and issubclass(value, BridgeError)}
    assert ours <= set(errors.__all__)


@pytest.mark.parametrize("module", MODULES)
def test_every_public_name_is_visible_to_completion(module: str) -> None:
    imported = import_module(module)
    assert set(imported.__all__) <= set(dir(imported))


@pytest.mark.parametrize("module", MODULES)
def test_every_public_class_and_function_has_a_docstring(module: str) -> None:
    imported = import_module(module)
    values = {name: getattr(imported, name) for name in imported.__all__}
    # On the oldest Python an alias such as Callable[..., Any] passes for a class.
    explained = {n: v for n, v in values.items() if inspect.isroutine(v) or (inspect.isclass(v) and not get_origin(v))}
    assert imported.__doc__, module
    assert not [name for name, value in explained.items() if not value.__doc__]


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)
def test_changelog_has_a_chapter_for_the_version(package: Path) -> None:
    (version,) = re.findall(r'^version = "(.+)"$', (package / "pyproject.toml").read_text("utf-8"), re.MULTILINE)
    assert f"\n## {version} " in (package / "CHANGELOG.md").read_text("utf-8")


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)
def test_package_ships_its_types_and_a_readme(package: Path) -> None:
    assert list(package.glob("src/*/py.typed"))
    assert (package / "README.md").is_file()


if __name__ == "__main__":
    sys.stdout.write(public())
