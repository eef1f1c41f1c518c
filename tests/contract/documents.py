"""The code blocks of a Markdown page, and a folder in which they run one after another as a reader would run them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import attrs

__all__ = ["Block", "Folder", "blocks"]

_TIMEOUT = 120.0
_PIP = """#!/bin/sh
# What a tutorial installs goes into the reader's folder, and needs no network: dependencies are there already.
test "$1" = install || exec "{python}" -m pip "$@"
shift
exec "{python}" -m pip install --quiet --no-deps --no-build-isolation --upgrade --target "{site}" "$@"
"""


@attrs.frozen(kw_only=True)
class Block:
    """One fenced block."""

    page: str
    line: int
    language: str
    file: str | None
    """From ```python file=name.py: the block is written there, and not run."""
    mark: str | None
    """`run` or `output`: the HTML comment right before the fence."""
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def blocks(page: Path) -> Iterator[Block]:
    """Yield the fenced blocks of a page in order."""
    mark: str | None = None
    lines = iter(enumerate(page.read_text(encoding="utf-8").splitlines(), start=1))
    for number, line in lines:
        fence = re.fullmatch(r"```(\w*)(?: file=(\S+))?", line)
        if fence is None:
            if line.strip():
                comment = re.fullmatch(r"<!-- (run|output) -->", line)
                mark = comment[1] if comment else None
            continue
        body: list[str] = []
        for _, inside in lines:
            if inside == "```":
                break
            body.append(inside)
        text = "\n".join(body) + "\n"
        yield Block(page=page.name, line=number, language=fence[1], file=fence[2], mark=mark, text=text)
        mark = None


class Folder:
    """A reader's folder: blocks are written and run here; remembers what the last one printed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.printed = ""
        self._site = path / "site"
        (path / "bin").mkdir()
        pip = path / "bin" / "pip"
        pip.write_text(_PIP.format(python=sys.executable, site=self._site))
        pip.chmod(0o755)

    def follow(self, block: Block) -> None:
        """Do what the block asks of a reader: write it, run it, or compare it with what was printed."""
        if block.file is not None:
            target = self.path / "work" / block.file
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(block.text, encoding="utf-8")
        elif block.mark == "output":
            self._compare(block)
        elif block.language == "python":
            script = self.path / f"line_{block.line}.py"
            script.write_text(block.text, encoding="utf-8")
            self._run(str(block), [sys.executable, str(script)])
        elif block.language == "bash" and block.mark == "run":
            self._run(str(block), ["bash", "-euo", "pipefail", "-c", block.text])

    def run(self, program: Path) -> str:
        """Run a Python program as it lies in the repository and return what it printed."""
        self._run(program.name, [sys.executable, str(program)])
        return self.printed

    def _run(self, what: str, command: list[str]) -> None:
        work = self.path / "work"
        work.mkdir(exist_ok=True)
        paths = {
            "PATH": os.pathsep.join([str(self.path / "bin"), str(Path(sys.executable).parent), os.environ["PATH"]]),
            "PYTHONPATH": os.pathsep.join([str(work), str(self._site)]),
            "HOME": str(self.path),
        }
        done = subprocess.run(
            command,
            cwd=work,
            env={**os.environ, **paths},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_TIMEOUT,
            check=False,
            text=True,
        )
        self.printed = done.stdout
        assert done.returncode == 0, f"{what} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"

    def _compare(self, block: Block) -> None:
        """Look for the block's lines in what was printed, in order; `…` stands for anything."""
        rest = iter([" ".join(line.split()) for line in self.printed.splitlines()])
        for line in filter(None, (" ".join(line.split()) for line in block.text.splitlines())):
            pattern = ".*".join(re.escape(part) for part in line.split("…"))
            assert any(re.fullmatch(pattern, printed) for printed in rest), (
                f"{block}: not printed (or not in this order): {line!r}\nprinted was:\n{self.printed}"
            )
