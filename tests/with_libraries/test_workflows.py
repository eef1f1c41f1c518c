"""The programs in examples/workflows: one pipeline from Python, from Elixir and in raw frames, with real libraries."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from peer import Peer

from contract.documents import blocks
from contract.sources import ROOT

_TIMEOUT = 300.0
WORKFLOWS = ROOT / "examples" / "workflows"
PRINTED = [
    "predicted 11.69 14.36 14.76 17.34 8.26 7.23 4.62 8.88 10.55 23.58 23.50",
    "score 0.97",
    "answer The embedded model only echoes question: Why do bridges have arches?",
]


def printed_by(command: list[str], folder: Path, **environment: str) -> list[str]:
    """Run a program to its good end and return the lines that it printed."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "PATH": path, "LANG": "C.UTF-8", **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=_TIMEOUT,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout.splitlines()


@pytest.mark.capability("E10", "E18")
@pytest.mark.parametrize("program", ["python_client.py", "raw_frames.py"])
def test_pipelines_run_from_python(program: str) -> None:
    assert printed_by([sys.executable, program], WORKFLOWS) == PRINTED


@pytest.mark.capability("E10")
def test_pipelines_run_from_elixir(tmp_path: Path) -> None:
    mix = shutil.which("mix")
    assert mix, "mix is missing: CONTRIBUTING.md says what this needs"
    command = [mix, "run", "../workflows/elixir_client.exs"]
    printed = printed_by(command, ROOT / "examples" / "elixir", MIX_BUILD_PATH=str(tmp_path))
    assert printed[-3:] == PRINTED


@pytest.mark.capability("E10")
def test_pipeline_of_the_reference_runs(tmp_path: Path) -> None:
    page = ROOT / "docs/reference/dynamic-calls.md"
    (request,) = [one.text for one in blocks(page) if one.language == "json" and '"pipeline"' in one.text]
    table = tmp_path / "sales.csv"
    table.write_text("shop,sold\na,2\nb,4\nc,\n")
    steps = json.loads(request.replace('"sales.csv"', json.dumps(str(table))))["args"]["steps"]
    with Peer("--framework", "dspy", "--config", '{"policy": {"allow": ["pandas"]}}', folders=()) as peer:
        answers = peer.result("pipeline", {"steps": steps})["pipeline_results"]
    assert answers[-1]["result"] == {"sold": 3.0}


@pytest.mark.capability("K07")
@pytest.mark.parametrize("name", ["agg", "aggregate", "apply", "transform", "eval", "query"])
def test_policy_of_the_reference_keeps_expressions_out(tmp_path: Path, name: str) -> None:
    page = ROOT / "docs/reference/dynamic-calls.md"
    (policy,) = [one.text for one in blocks(page) if one.language == "toml"]
    config = tmp_path / "bridge.toml"
    config.write_text(policy)
    victim = tmp_path / "victim"
    expression = f"@sys.modules['os'].system('touch {victim}')"
    with Peer("--framework", "dspy", "--config", str(config), folders=()) as peer:
        peer.result("call", {"target": "pandas.DataFrame", "args": [{"a": [1]}], "store_as": "df"})
        args = [expression] if name in ("eval", "query") else ["eval"]
        kwargs = {"level": 5} if name in ("eval", "query") else {"expr": expression, "level": 5}
        attack = {"target": f"stored.df.{name}", "args": args, "kwargs": kwargs}
        assert peer.reason("call", attack) == "TARGET_NOT_ALLOWED"
    assert not victim.exists()
