"""`pybridge migrate`: what it writes installs, loads, conforms, and is written well."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from integration.shell import pybridge

pytestmark = [pytest.mark.capability("D09")]

SAMPLES = Path(__file__).parents[1] / "compat_samples"
# What is written from custom_bridge.py, as `ruff` looks at it with the rules that it brings along; renewed by
# `pybridge migrate tests/compat_samples/custom_bridge.py --output tests/compat_samples/skeleton --force`, and its tests
# moved to `the_tests.py`, because pytest would take them for ours.
SKELETON = SAMPLES / "skeleton"
NAMES = {"tests/test_plugin.py": "the_tests.py"}


def files(folder: Path) -> dict[str, str]:
    found = {path.relative_to(folder): path for path in folder.rglob("*") if path.is_file()}
    kept = {path: file for path, file in found.items() if not path.parts[0].startswith((".", "__"))}  # no caches
    return {str(path): file.read_text("utf-8") for path, file in kept.items() if "__pycache__" not in path.parts}


def test_skeleton_is_as_it_was_and_style_looks_at(tmp_path: Path) -> None:
    ran = pybridge("migrate", str(SAMPLES / "custom_bridge.py:CustomBridge"), "--output", str(tmp_path / "out"))
    assert ran.code == 0, ran.err
    assert {NAMES.get(path, path): text for path, text in files(tmp_path / "out").items()} == files(SKELETON)
    assert ran.out.count(str(tmp_path)) == len(files(SKELETON)) + 3


@pytest.mark.parametrize("sample", ["custom_bridge", "frames_plugin"])
def test_skeleton_installs_and_passes_the_suite_for_plugins(tmp_path: Path, sample: str) -> None:
    written, site = tmp_path / "written", tmp_path / "site"
    assert pybridge("migrate", str(SAMPLES / f"{sample}.py"), "--output", str(written)).code == 0
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*install, "--target", str(site), str(written)], check=True, capture_output=True)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"],
        cwd=written,
        env={**os.environ, "PYTHONPATH": str(site), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        check=False,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "8 passed" in done.stdout


def test_nothing_is_overwritten_unless_asked(tmp_path: Path) -> None:
    words = ["migrate", str(SAMPLES / "frames_plugin.py"), "--output", str(tmp_path)]
    assert pybridge(*words).code == 0
    (tmp_path / "README.md").write_text("mine", encoding="utf-8")
    ran = pybridge(*words)
    assert (ran.code, ran.err.count("\n")) == (1, 1)
    assert "--force" in ran.err
    assert (tmp_path / "README.md").read_text("utf-8") == "mine"
    assert pybridge(*words, "--force").code == 0
    assert (tmp_path / "README.md").read_text("utf-8") != "mine"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["no/such/file.py"], 1),
        ([str(SAMPLES / "tiny_ml.py")], 1),
        ([f"{SAMPLES / 'custom_bridge.py'}:Nobody"], 1),
        ([str(SAMPLES)], 1),
        ([], 2),
    ],
    ids=["no file", "no bridge", "no class", "a folder", "no argument"],
)
def test_what_goes_wrong_is_one_readable_message(words: list[str], code: int) -> None:
    ran = pybridge("migrate", *words)
    assert ran.code == code
    assert ran.out == ""
    assert "Traceback" not in ran.err
    assert ran.err.lower().count("error: ") == 1


def test_source_is_read_and_never_run(tmp_path: Path) -> None:
    source = (SAMPLES / "frames_plugin.py").read_text("utf-8") + "\nraise SystemExit('it was run')\n"
    (tmp_path / "old.py").write_text(source, encoding="utf-8")
    ran = pybridge("migrate", str(tmp_path / "old.py"), "--output", str(tmp_path / "out"))
    assert ran.code == 0
    assert "it was run" not in ran.err


NAMED = """
class Bridge:
    name = {name!r}
    def _register_handlers(self):
        for name in ("a", "b"):
            self.register_handler(name, getattr(self, name))
"""


@pytest.mark.parametrize("name", ["core", "dspy", "langchain", "transformers"])
def test_distribution_that_would_replace_ours_is_not_written(tmp_path: Path, name: str) -> None:
    (tmp_path / "old.py").write_text(NAMED.format(name=name), encoding="utf-8")
    words = ["migrate", str(tmp_path / "old.py"), "--output", str(tmp_path / "out")]
    ran = pybridge(*words)
    assert (ran.code, ran.out, ran.err.count("\n")) == (1, "", 1)
    assert "--name" in ran.err
    assert not (tmp_path / "out").exists()
    assert pybridge(*words, "--name", "My-Name").code == 1
    assert pybridge(*words, "--name", "mine").code == 0
    assert 'name = "bridge-mine"' in (tmp_path / "out" / "pyproject.toml").read_text("utf-8")


def test_registrations_that_cannot_be_read_are_said(tmp_path: Path) -> None:
    (tmp_path / "old.py").write_text(NAMED.format(name="odd"), encoding="utf-8")
    ran = pybridge("migrate", str(tmp_path / "old.py"), "--output", str(tmp_path / "out"))
    assert ran.code == 0
    assert "line 6 of old.py" in ran.err
    assert "(line 6)" in (tmp_path / "out" / "README.md").read_text("utf-8")


def test_what_is_no_regular_file_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "old.py")
    assert pybridge("migrate", str(tmp_path / "old.py")).code == 1
