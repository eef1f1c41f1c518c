"""One application uses frameworks that live in virtual environments of their own, and two versions of one of them.

`tox run -e environments` makes the environments, in the folder that BRIDGE_ENVIRONMENTS names.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from bridge_core import Bridge
from contract.sources import ROOT

pytestmark = [pytest.mark.capability("D08")]

TIMEOUT = 180.0
FOLDERS = {"dspy": "dspy-new", "langchain": "langchain", "transformers": "transformers"}


@pytest.fixture(scope="module")
def environments() -> Path:
    return Path(os.environ["BRIDGE_ENVIRONMENTS"])


@pytest.fixture(scope="module")
def encoder(environments: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model for embeddings, made where torch is."""
    folder = tmp_path_factory.mktemp("encoder")
    code = f"from pathlib import Path; from with_torch.models import make_encoder; make_encoder(Path({str(folder)!r}))"
    python = environments / "transformers/bin/python"
    subprocess.run([python, "-c", code], env={**os.environ, "PYTHONPATH": str(ROOT / "tests")}, check=True)
    return folder


def printed(program: str, *arguments: str | Path) -> str:
    path = ROOT / "examples/environments" / program
    done = subprocess.run(
        [sys.executable, path, *arguments], capture_output=True, text=True, timeout=TIMEOUT, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_application_itself_has_none_of_the_frameworks() -> None:
    assert [name for name in (*FOLDERS, "torch") if find_spec(name) is not None] == []


def test_torch_is_a_build_for_the_cpu(environments: Path) -> None:
    asked = [environments / "transformers/bin/python", "-c", "import torch; print(torch.version.cuda)"]
    assert subprocess.run(asked, capture_output=True, text=True, check=True).stdout == "None\n"


def test_three_frameworks_answer_together_each_from_an_environment_of_its_own(
    environments: Path, encoder: Path
) -> None:
    folders = [f"--{name}={environments / folder}" for name, folder in FOLDERS.items()]
    lines = printed("three_frameworks.py", *folders, f"--model={encoder}").splitlines()
    assert [line.split()[0] for line in lines[:3]] == ["transformers", "dspy", "langchain"]
    assert len({line.split()[-1] for line in lines[:3]}) == 3, "one process each"
    for question in ("How high is the tower?", "When was the bridge opened?"):
        assert [line for line in lines[3:] if re.search(f"{re.escape(question)}.* -> .*{re.escape(question)}", line)]


def test_two_versions_of_one_framework_answer_side_by_side(environments: Path) -> None:
    lines = printed("two_versions.py", environments / "dspy-old", environments / "dspy-new").splitlines()
    said = r"DSPy (\S+): The embedded model only echoes question: Which of the two is right\?"
    versions = {found[1] for line in lines if (found := re.fullmatch(said, line))}
    assert len(versions) == 2, lines


@pytest.mark.parametrize("name", ["dspy-old", "dspy-new", "langchain", "transformers"])
def test_worker_runs_in_its_environment_and_serves_no_other_framework(environments: Path, name: str) -> None:
    framework = name.partition("-")[0]
    python = environments / name / "bin/python"
    with Bridge({framework: {"python": str(python)}}) as bridge:
        found = bridge.info()
        assert {one.partition(".")[0] for one in found["supported_operations"] if "." in one} == {framework}
        guardian = bridge.pids()[framework]
        (child,) = Path(f"/proc/{guardian}/task/{guardian}/children").read_text().split()
        assert Path(f"/proc/{child}/cmdline").read_text().split("\0")[0] == str(python)
