"""Imports point downwards; MAY_IMPORT is the table of docs/explanation/architecture.md."""

from __future__ import annotations

import sys
from importlib import import_module

import pytest

from contract.imports import Import, imports_of
from contract.sources import Source, core, plugins

VALUES = {"errors", "_models"}
KERNEL = {"hookspecs", "_distributions", "_plugins", "_handlers", "_context"}
PROTOCOL = {"protocol"}
SERVICES = {"serialize", "sessions", "secrets", "calls", "tools", "state", "telemetry", "config"}
SHIM = {"compat"}
BELOW_SERVICES = VALUES | KERNEL | PROTOCOL
BELOW_EDGES = BELOW_SERVICES | SERVICES
ABOVE = {"transports", "pool", "worker", "client", "server", "codegen", "cli", "testing", "__main__"}
EVERYTHING = BELOW_EDGES | SHIM | ABOVE

MAY_IMPORT: dict[str, set[str]] = {
    **dict.fromkeys(VALUES, VALUES),
    **dict.fromkeys(KERNEL, VALUES | KERNEL),
    "protocol": VALUES,
    "codegen": VALUES,
    **dict.fromkeys(SERVICES, BELOW_SERVICES),
    "calls": BELOW_SERVICES | {"sessions", "serialize"},
    "compat": BELOW_SERVICES | {"secrets"},
    "transports": BELOW_EDGES,
    "pool": BELOW_EDGES | {"transports"},
    "worker": BELOW_EDGES | SHIM | {"transports"},
    "client": BELOW_EDGES | {"transports", "pool"},
    "server": BELOW_EDGES | {"transports", "pool"},
    "cli": EVERYTHING,
    "testing": EVERYTHING,
    "__main__": EVERYTHING,
}
DATA = {"msgspec"}
HOOKS = DATA | {"pluggy", "importlib_metadata"}
FOREIGN: dict[str, set[str]] = {
    **dict.fromkeys(MAY_IMPORT, HOOKS),
    **dict.fromkeys(VALUES | PROTOCOL | {"codegen"}, DATA),
    "config": HOOKS | {"tomli", "tomllib"},  # the latter is part of Python from 3.11 on
    "cli": HOOKS | {"click", "rich"},
    "testing": HOOKS | {"pytest", "hypothesis"},
}
# Bytes in, messages out: what would let the protocol do I/O, own a thread, read a clock or ask the system.
NOT_IN_PROTOCOL = (
    "_thread asyncio concurrent datetime io logging multiprocessing os pathlib queue select selectors shutil "
    "signal socket ssl subprocess tempfile threading time"
).split()
PUBLIC = {f"bridge_core{module}" for module in ("", ".compat", ".errors", ".protocol", ".secrets", ".testing")}

CORE = [source for source in core() if source.component]
CORE_BY_NAME = pytest.mark.parametrize("source", CORE, ids=lambda source: source.module)


def component_of(found: Import) -> str:
    """Return the component of ours that is imported; "" when it is the root package's own lazy names."""
    parts = [*found.module.split("."), found.name]
    return parts[1] if parts[1] in MAY_IMPORT or len(parts) > 2 else ""


def test_every_component_has_its_place_in_the_table() -> None:
    unknown = {source.component for source in CORE} - set(MAY_IMPORT)
    assert not unknown, f"decide where {sorted(unknown)} belong and add them to MAY_IMPORT"


@CORE_BY_NAME
def test_core_imports_downwards_only(source: Source) -> None:
    allowed = MAY_IMPORT.get(source.component, set()) | {source.component}
    wrong = [
        f"line {found.line}: {found.module}.{found.name}".rstrip(".")
        for found in imports_of(source)
        if found.top == "bridge_core" and component_of(found) not in allowed and found.name != "__version__"
    ]
    assert not wrong, f"{source.name} is a '{source.component}', which may not import: {wrong}"


@CORE_BY_NAME
def test_core_uses_only_the_dependencies_of_its_layer(source: Source) -> None:
    # The oldest Python's aliases come from typing_extensions, which is never there at run time.
    allowed = sys.stdlib_module_names | {"bridge_core", "__future__"} | FOREIGN.get(source.component, set())
    wrong = [
        f"line {found.line}: {found.module}"
        for found in imports_of(source)
        if found.top not in allowed and not (found.typed_only and found.top == "typing_extensions")
    ]
    assert not wrong, f"{source.name} is a '{source.component}', which may not import: {wrong}"


@pytest.mark.parametrize("source", [s for s in CORE if s.component == "protocol"], ids=lambda source: source.module)
def test_protocol_has_no_io_no_thread_and_no_clock(source: Source) -> None:
    wrong = [f"line {found.line}: {found.module}" for found in imports_of(source) if found.top in NOT_IN_PROTOCOL]
    assert not wrong, f"{source.name} imports {wrong}"


def test_package_itself_imports_nothing_of_ours_when_it_is_imported() -> None:
    (package,) = (source for source in core() if not source.component)
    wrong = [found for found in imports_of(package) if found.top == "bridge_core" and not found.typed_only]
    assert not wrong, "bridge_core/__init__.py gives its names lazily"


@pytest.mark.capability("D12")
@pytest.mark.parametrize("source", plugins(), ids=lambda source: source.module)
def test_plugin_uses_public_names_of_bridge_core_only(source: Source) -> None:
    wrong = []
    for found in imports_of(source):
        if found.top != "bridge_core":
            continue
        whole = f"{found.module}.{found.name}"
        public = found.module in PUBLIC and (not found.name or whole in PUBLIC or is_public(found.module, found.name))
        if not public:
            wrong.append(f"line {found.line}: {whole}")
    assert not wrong, f"{source.name} imports what bridge_core does not promise: {wrong}"


def is_public(module: str, name: str) -> bool:
    """Whether a module of bridge_core promises the name."""
    imported = import_module(module)
    return name in getattr(imported, "__all__", [known for known in vars(imported) if known[0] != "_"])
