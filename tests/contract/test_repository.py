"""What a person meets first works as promised, and what nobody may write is not written."""

from __future__ import annotations

import ast
import configparser
import os
import re

import pytest

from contract.sources import ROOT, Source, shipped

README = ROOT / "README.md"
COMMANDS = {
    "demo": "python3 -m venv .venv && .venv/bin/pip install './core[cli]' ./plugins/dspy && .venv/bin/pybridge demo",
    "tests": ".venv/bin/pip install tox && .venv/bin/tox run",
}
FORBIDDEN_MODULES = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "marshal", "shelve"}
FORBIDDEN_CALLS = {"eval", "exec", "compile", "yaml.load", "yaml.unsafe_load", "os.system"}
UNFINISHED = re.compile(r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "XX" + "X"]) + r")\b")
TEXT = {".py", ".md", ".toml", ".ini", ".yaml", ".txt", ""}
OURS = ["core", "plugins", "tests", "docs", "examples", "bench", ".ci"]


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_readme_marks_the_command_that_the_gate_runs(name: str) -> None:
    # .ci/run takes the command from the README by this very mark.
    assert f"<!-- command: {name} -->\n```bash\n{COMMANDS[name]}\n```\n" in README.read_text("utf-8")


def test_readme_fits_in_180_lines() -> None:
    assert len(README.read_text("utf-8").splitlines()) <= 180


def test_gate_is_executable() -> None:
    assert os.access(ROOT / ".ci/run", os.X_OK)


def test_default_environments_install_no_torch() -> None:
    tox = configparser.ConfigParser(interpolation=None)
    tox.read(ROOT / "tox.ini")
    default = tox["tox"]["env_list"].split()
    sections = ["testenv", *(f"testenv:{name}" for name in default)]
    deps = [line for section in sections if tox.has_section(section) for line in tox[section].get("deps", "").split()]
    assert {"style", "types", "py310", "py311", "py312", "py313", "coverage"} <= set(default)
    assert not [line for line in deps if "torch" in line]
    assert not re.search(r"^torch\b", (ROOT / "constraints.txt").read_text("utf-8"), re.MULTILINE)


def test_every_test_is_in_a_folder_that_some_environment_collects(pytestconfig: pytest.Config) -> None:
    elsewhere = [
        "tests/environments",
        "tests/soak",
        "tests/with_libraries",
        "tests/with_torch",
    ]  # their environments have what the default ones lack
    folders = [*pytestconfig.getini("testpaths"), *elsewhere]
    assert not set(ROOT.glob("tests/**/test_*.py")) - {
        path for folder in folders for path in (ROOT / folder).rglob("test_*.py")
    }
    assert not [folder for folder in elsewhere if folder not in (ROOT / "tox.ini").read_text("utf-8")]


@pytest.mark.parametrize("source", shipped(), ids=lambda source: source.module)
def test_nothing_shipped_can_run_what_a_peer_sends(source: Source) -> None:
    wrong: list[str] = []
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            wrong += [alias.name for alias in node.names if alias.name.split(".")[0] in FORBIDDEN_MODULES]
        elif isinstance(node, ast.ImportFrom) and (module := node.module or "").split(".")[0] in FORBIDDEN_MODULES:
            wrong.append(module)
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in FORBIDDEN_CALLS:
            wrong.append(ast.unparse(node.func))
    assert not wrong, f"{source.name} uses {wrong}"


def test_nothing_is_left_for_later_in_the_sources() -> None:
    found = []
    for folder in OURS:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.is_file() and path.suffix in TEXT and "__pycache__" not in path.parts:
                text = path.read_text("utf-8", errors="replace")
                found += [f"{path.relative_to(ROOT)}: {match}" for match in UNFINISHED.findall(text)]
    assert not found, "file an issue instead"
