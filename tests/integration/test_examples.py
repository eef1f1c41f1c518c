"""The clients in examples/elixir and examples/node do the DSPy job with a real worker, and leave no process.

They need elixir, erlang-jiffy and node: they run only where they are asked for (`tox run -e peers`, `pytest -m peers`),
and fail where those are missing.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest

from contract.documents import blocks
from contract.sources import ROOT
from guards import settled

pytestmark = [pytest.mark.peers]

_TIMEOUT = 100.0
_MARK = "BRIDGE_TEST_PEERS"
_ECHO = "The embedded model only echoes question:"
# What each line of the job begins with, and what it says in every run.
JOB = [
    r"worker +worker-\d+ serves dspy by protocol 1",
    "progress +importing dspy",
    "configured +embedded",
    "created +qa",
    f"answer +{_ECHO} Why do bridges have arches\\?",
    *(f"at once +What is {number}\\? {_ECHO} What is {number}\\?" for number in range(1, 9)),
    *(f"chunk +{re.escape(word)}" for word in f"{_ECHO} Why?".split()),
    f"result +{_ECHO} Why\\?",
    "left early +The",
    "error +not_found PROGRAM_NOT_FOUND",
    r"error +invalid_argument INVALID_ARGUMENTS \$\.colour",
    "late +deadline_exceeded CALL_TIMEOUT",
]
DEATH = {"elixir": "exit status 137", "node": "SIGKILL"}
FRESH = ["fresh worker +configured again, but the program is gone: PROGRAM_NOT_FOUND", f"answer +{_ECHO} And now\\?"]
PRINTED = {
    language: [
        *JOB,
        *(["aborted +cancelled CALL_CANCELLED"] if language == "node" else []),
        *[f"killed +unavailable WORKER_CRASHED, {how}"] * 3,
        *FRESH,
        "(stopped|closed) +the worker has ended in order",
    ]
    for language, how in DEATH.items()
}
# Programs that wait to be killed.
HOLDING = {
    "elixir": """
        {:ok, bridge} = Bridge.start_link(command: ~w(pybridge worker --framework dspy))
        {:ok, _} = Bridge.configure(bridge, "dspy", model: "embedded")
        IO.puts("ready")
        Process.sleep(:infinity)
    """,
    "node": """
        import { Bridge } from "./bridge/index.js";
        const bridge = new Bridge({ command: ["pybridge", "worker", "--framework", "dspy"] });
        await bridge.configure("dspy", { model: "embedded" });
        console.log("ready");
    """,
}


@attrs.frozen
class Example:
    """One of the examples; all processes that descend from it carry its mark in their environment."""

    language: str
    build: Path
    """Where Mix compiles to."""
    mark: str = attrs.field(factory=lambda: uuid.uuid4().hex)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start Mix or Node with these arguments in the example's folder."""
        program = {"elixir": "mix", "node": "node"}[self.language]
        assert shutil.which(program), f"{program} is missing: CONTRIBUTING.md says what this needs"
        own = {
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
            "LANG": "C.UTF-8",
            "MIX_BUILD_PATH": str(self.build),
            _MARK: self.mark,
        }
        return subprocess.Popen(
            [program, *arguments],
            cwd=ROOT / "examples" / self.language,
            env={**os.environ, **own},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *arguments: str) -> str:
        """Run it to its end, which must be a good one, and return what it printed."""
        with self.start(*arguments) as process:
            printed, _ = process.communicate(timeout=_TIMEOUT)
        assert process.returncode == 0, printed
        return printed

    def processes(self) -> dict[str, str]:
        """Return what descends from it and lives."""
        found = {}
        for path in Path("/proc").glob("[0-9]*"):
            try:
                if f"{_MARK}={self.mark}\0".encode() in (path / "environ").read_bytes():
                    found[path.name] = (path / "cmdline").read_text().replace("\0", " ")
            except OSError:  # it has ended, or is somebody else's
                continue
        return found


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mix")


@pytest.fixture(params=sorted(PRINTED))
def example(request: pytest.FixtureRequest, build: Path) -> Iterator[Example]:
    example = Example(request.param, build)
    yield example
    assert settled(example.processes) == {}


def test_dspy_job_prints_real_answers_and_leaves_no_process(example: Example) -> None:
    arguments = {"elixir": ["run", "dspy_job.exs"], "node": ["dspy_job.js"]}
    printed = example.run(*arguments[example.language])
    rest = iter(printed.splitlines())
    for pattern in PRINTED[example.language]:  # others may stand between them: what a log says
        assert any(re.fullmatch(pattern, line) for line in rest), (
            f"not there, or not in this order: {pattern}\n{printed}"
        )


def test_client_passes_its_own_tests(example: Example) -> None:
    tests = sorted(str(path) for path in (ROOT / "examples/node/test").glob("*.test.js"))
    said = example.run(*{"elixir": ["test"], "node": ["--test", *tests]}[example.language])
    assert re.search({"elixir": r"[1-9]\d* tests, 0 failures", "node": r"(?m)pass [1-9]\d*$"}[example.language], said)


def test_program_that_is_killed_leaves_no_worker(example: Example) -> None:
    arguments = {"elixir": ["run", "-e"], "node": ["--input-type=module", "--eval"]}
    with example.start(*arguments[example.language], HOLDING[example.language]) as process:
        assert process.stdout is not None
        assert "ready\n" in iter(process.stdout.readline, "")
        assert len(example.processes()) >= 3  # the program, the guardian, the worker
        process.send_signal(signal.SIGKILL)


def test_block_of_the_how_to_runs(example: Example, tmp_path: Path) -> None:
    fence = {"elixir": "elixir", "node": "js"}[example.language]
    (block,) = (one for one in blocks(ROOT / "docs/how-to/any-language.md") if one.language == fence)
    program = tmp_path / {"elixir": "block.exs", "node": "block.mjs"}[example.language]
    program.write_text(block.text, encoding="utf-8")
    (tmp_path / "bridge").symlink_to(ROOT / "examples/node/bridge")
    printed = example.run(*{"elixir": ["run"], "node": []}[example.language], str(program))
    assert f"{_ECHO} Why?" in printed.splitlines()


def test_elixir_is_formatted_and_compiles_without_warnings(build: Path) -> None:
    example = Example("elixir", build)
    example.run("format", "--check-formatted")
    example.run("compile", "--force", "--warnings-as-errors")
