"""What users may import is a decision: it is listed in public_api.txt, documented, and in the changelog.

After a decision, write the list anew with `python -m contract.test_public_api > contract/public_api.txt` in `tests/`.
"""

from __future__ import annotations

import inspect
import re
import sys
from importlib import import_module
from pathlib import Path
from typing import get_origin

import pytest

from contract.sources import PACKAGES

MODULES = ["bridge_core", "bridge_core.protocol", "bridge_core.testing"]
SNAPSHOT = Path(__file__).with_name("public_api.txt")


def public() -> str:
    """Return the public names as the snapshot holds them."""
    return "".join(f"{module}.{name}\n" for module in MODULES for name in sorted(import_module(module).__all__))


def test_public_names_are_those_of_the_snapshot() -> None:
    assert public().splitlines() == SNAPSHOT.read_text("utf-8").splitlines()


@pytest.mark.parametrize("module", MODULES)
def test_every_public_name_exists_once(module: str) -> None:
    names = import_module(module).__all__
    assert len(names) == len(set(names))
    missing = [name for name in names if not hasattr(import_module(module), name)]
    assert not missing


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
