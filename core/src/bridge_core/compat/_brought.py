"""Classes that were brought: where they are, and importing them."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import os
import sys
from types import ModuleType

from ._failures import load_failed, said
from ._shapes import SUPPORTED, is_bridge, is_plugin

__all__ = ["brought_class", "divided"]


def divided(label: str) -> tuple[str, str]:
    """Divide `MODULE:CLASS`, `FILE.py:CLASS`, or either alone, into the place and the class."""
    place, _, name = label.rpartition(":")
    return (place, name) if place and "/" not in name else (label, "")


def brought_class(label: str) -> type:
    """Import a class named as `MODULE:CLASS` or `FILE.py:CLASS`; without a class, the only one that can be served.

    A file's folder is put in front of the import path, as `python FILE.py` does, so that it finds its neighbours.

    Raises:
        PluginLoadFailedError: There is no such module, file or class, or importing it fails.
    """
    place, name = divided(label)
    try:
        module = _from_file(place) if _is_file(place) else importlib.import_module(place)
    except (Exception, SystemExit) as exc:  # boundary: plugin call
        raise load_failed(label, "import", _cause(place, exc), _remedy(place, exc)) from exc
    if not name:
        return _only_one(module, label)
    found: object = module
    for part in name.split("."):
        found = getattr(found, part, None)
    if not inspect.isclass(found):
        has = ", ".join(one.__name__ for one in _classes(module)) or "none that can be served"
        cause = f"{place} has no class {name!r}" if found is None else f"{name} of {place} is no class"
        raise load_failed(label, "import", cause, f"its classes are: {has}")
    return found


def _is_file(place: str) -> bool:
    return place.endswith(".py") or os.sep in place


def _from_file(path: str) -> ModuleType:
    path = os.path.abspath(path)
    if not os.path.isfile(path):
        raise FileNotFoundError(f"there is no file {path}")
    name = os.path.splitext(os.path.basename(path))[0]
    if name in sys.modules:  # a file json.py must not become what others mean by that name
        name = f"bridge_of_{name}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is no Python file")
    sys.path.insert(0, os.path.dirname(path))
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _cause(place: str, exc: BaseException) -> str:
    if isinstance(exc, ModuleNotFoundError) and exc.name and f"{place}.".startswith(f"{exc.name}."):
        return f"there is no module {exc.name!r} on the import path"
    return str(exc) if isinstance(exc, FileNotFoundError) else f"importing {place} raised {said(exc)}"


def _remedy(place: str, exc: BaseException) -> str:
    if isinstance(exc, FileNotFoundError):
        return "say where the file is: --bridge PATH/FILE.py:CLASS"
    if isinstance(exc, ModuleNotFoundError) and not f"{place}.".startswith(f"{exc.name}."):
        return "install what it imports into the worker's environment"
    if isinstance(exc, ModuleNotFoundError):
        return "give its file, --bridge PATH/FILE.py:CLASS, or put its folder on PYTHONPATH: the current one is not"
    return "it must be importable without side effects: put what starts it under `if __name__ == '__main__':`"


def _classes(module: ModuleType) -> list[type]:
    """Return the classes that a module defines, and does not only import, which can be served."""
    own = [one for one in vars(module).values() if inspect.isclass(one) and one.__module__ == module.__name__]
    served = [one for one in own if (is_bridge(one) or is_plugin(one)) and not inspect.isabstract(one)]
    return [one for one in served if not any(one in other.__bases__ for other in served)]


def _only_one(module: ModuleType, label: str) -> type:
    found = _classes(module)
    if len(found) == 1:
        return found[0]
    names = ", ".join(f"{label}:{one.__name__}" for one in found)
    cause = "several of its classes can be served" if found else f"none of its classes has {SUPPORTED}"
    raise load_failed(label, "import", cause, f"name one: {names}" if found else "name the class: MODULE:CLASS")
