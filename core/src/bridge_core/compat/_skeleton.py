"""The beginning of a real plugin, written from an old class."""

from __future__ import annotations

import re

from ._names import EVERY_WORKERS, distribution_name, operation_names
from ._operations import operations_module
from ._reading import OldClass
from ._writing import docstring, function_name, imports, quoted, signature, text_of, texts_of

__all__ = ["skeleton"]

_SECRET = re.compile(r"key|token|secret|passw|credential", re.IGNORECASE)


def skeleton(old: OldClass) -> dict[str, str]:
    """Return the files of a distribution by their paths in it: it installs, loads and conforms as it is."""
    names = operation_names(one.name for one in old.handlers if one.name not in EVERY_WORKERS)
    package = f"bridge_{old.framework}"
    module, operations = operations_module(old, names)
    distribution = distribution_name(old.framework)
    return {
        "pyproject.toml": _PROJECT.format(distribution=distribution, framework=old.framework, package=package),
        "README.md": _readme(old, names),
        f"{package}/__init__.py": f'"""The framework {old.framework} as a Bridge plugin."""\n',
        f"{package}/_operations.py": module,
        f"{package}/plugin.py": _plugin(old, operations),
        "tests/test_plugin.py": _TESTS.format(
            distribution=distribution,
            framework=old.framework,
            package=package,
            names="".join(f'        "{old.framework}.{name}",\n' for name in sorted(operations)),
        ),
    }


_PROJECT = """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "{distribution}"
version = "0.1.0"
requires-python = ">=3.10"
dependencies = ["bridge-core>=0.1"]

[project.entry-points."bridge.plugins"]
{framework} = "{package}.plugin"

[tool.hatch.build.targets.wheel]
include = ["{package}"]

[tool.ruff]
line-length = 120

[tool.ruff.lint]
extend-select = ["I"]
"""

_TESTS = '''\
"""{distribution} passes the suite that every plugin has to pass, and has what the old bridge had."""

from bridge_core.testing import PluginConformance, loopback

from {package} import plugin


class TestConformance(PluginConformance):
    framework = "{framework}"


def test_operations_are_those_of_the_old_bridge() -> None:
    with loopback(plugin, name="{framework}") as client:
        described = client.run("describe", {{"framework": "{framework}"}})
    assert [operation["name"] for operation in described["operations"]] == [
{names}    ]
'''


def _plugin(old: OldClass, operations: dict[str, bool]) -> str:
    """Write the module with the hooks; `operations` are their names, and whether they stream."""
    public = ["FrameworkInfo", "Register", "hookimpl", "installed_version"]
    public += ["Session", "parse_arguments"] if old.configure else []
    public += ["Encode", "JsonValue"] if old.serialises else []
    head = f'"""The hooks of the plugin for {old.framework}, made from {old.name} in {old.file}."""\n\n'
    head += "from __future__ import annotations\n\n"
    if old.configure:
        head += "from collections.abc import Mapping\nfrom typing import Any\n\n"
    head += imports("bridge_core", public) + "\nfrom . import _operations\n\nBRIDGE_HOOK_API = 1\n"
    parts = [head, _info(old), _register(old, operations)]
    if old.configure:
        parts.append(_configure(old))
    if old.serialises:
        parts.append(_serialise(old))
    return "\n\n".join(parts)


def _info(old: OldClass) -> str:
    framework = old.imports[0].partition(".")[0] if old.imports else distribution_name(old.framework)
    imports = f"        imports={texts_of(old.imports)},\n" if old.imports else ""
    return (
        "@hookimpl\ndef bridge_framework_info() -> FrameworkInfo:\n"
        f'    """Describe {old.framework} as it is installed here."""\n'
        "    return FrameworkInfo(\n"
        f"        name={text_of(old.framework)},\n"
        f"        distribution={text_of(framework)},\n"
        f"        version=installed_version({text_of(framework)}),\n"
        f"{imports}    )\n"
    )


def _register(old: OldClass, operations: dict[str, bool]) -> str:
    lines = [
        f"    register({text_of(name)}, _operations.{function_name(name)}{', streaming=True' if streams else ''})\n"
        for name, streams in operations.items()
    ]
    head = "@hookimpl\ndef bridge_register_handlers(register: Register) -> None:\n"
    return head + f'    """Register the operations of framework `{old.framework}`."""\n' + "".join(lines)


def _configure(old: OldClass) -> str:
    assert old.configure is not None
    settings = old.configure.parameters.named
    secret = [one.name for one in settings if _SECRET.search(one.name)]
    hidden = "".join(f', {text_of(name)}: "[redacted]"' for name in secret)
    framework = text_of(old.framework)
    return (
        "@hookimpl\ndef bridge_configure(config: Mapping[str, Any], session: Session) -> Mapping[str, Any]:\n"
        '    """Keep a session\'s settings, for bridge_call_context or the operations to use."""\n'
        + quoted("`configure` of the old class, which configured the whole process:", old.configure.body)
        + f"    session.settings[{framework}] = settings = parse_arguments(_settings, config)\n"
        + (f"    return {{**settings{hidden}}}\n\n\n" if hidden else "    return settings\n\n\n")
        + signature("def _settings", "", settings, "None")
        + docstring("Settings of a session.")
    )


def _serialise(old: OldClass) -> str:
    return (
        "@hookimpl\ndef bridge_serialize_result(value: object, encode: Encode) -> JsonValue:\n"
        '    """Describe an object of the framework, its parts by `encode`; None for everything else."""\n'
        + quoted("`serialize_result` of the old class:", old.serialises)
        + "    return None\n"
    )


def _readme(old: OldClass, names: dict[str, str]) -> str:
    rows = "".join(f"| `{before}` | `{old.framework}.{name}` |\n" for before, name in names.items())
    notes = [
        f"* `{one.name}` has arguments that cannot be parameters: {', '.join(one.parameters.unnamed)}.\n"
        for one in old.handlers
        if one.parameters.unnamed
    ]
    notes += [
        f"* `{one.name}` also uses its arguments as a whole: it may take more than its parameters here.\n"
        for one in old.handlers
        if one.parameters.whole and one.name in names
    ]
    if old.unread:
        lines = ", ".join(map(str, old.unread))
        what = f"{len(old.unread)} registration(s) of `{old.file}` could not be read (line {lines})"
        notes.append(f"* {what}: what they register is missing here.\n")
    brings = ", ".join(f"`{one}`" for one in old.imports)
    return _README.format(
        distribution=distribution_name(old.framework),
        framework=old.framework,
        name=old.name,
        file=old.file,
        rows=rows or "| – | – |\n",
        notes="\n" + "".join(notes) if notes else "",
        brings=f"Put the distribution that brings {brings} under `dependencies`." if brings else "Name what it needs.",
    )


_README = """\
# {distribution}

The framework {framework} as a Bridge plugin, begun by `pybridge migrate` from `{name}` in `{file}`.

| old name | operation |
|---|---|
{rows}{notes}
It installs, loads and passes its tests as it is; each operation answers that its body has not been moved yet. To
finish it:

1. {brings}
2. For each function in `_operations.py`, write below the comment with the old body what it did, and take the comment
   and the `raise` away. What was `args["x"]` is the parameter `x`: give it a type in the place of `Any`.
3. What the old class kept in `self` belongs to one session: live objects go into `ctx.session.objects`, settings into
   `ctx.session.settings`.
4. An error is raised, never returned as `{{"status": "error"}}`.
5. `pip install -e . && python -m pytest tests`, and start the worker with `--framework {framework}` in the place of
   `--bridge`.
"""
