"""`pybridge demo`: the main job from end to end, and the very frames that any other program would send."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import click
import importlib_metadata
from msgspec import Struct, field

from bridge_core._distributions import installed_plugins
from bridge_core.client import BlockingClient
from bridge_core.errors import FrameworkNotFoundError

from ._output import table, working
from ._worker import worker

__all__ = ["demo"]

_SIGNATURE = "question -> answer"
_SHOWN = 220  # characters of a frame


class Demo(Struct, eq=False):
    """What has happened so far."""

    rows: list[list[str]] = field(default_factory=list)
    frames: list[tuple[str, bytes]] = field(default_factory=list)

    def step(self, what: str, do: Callable[[], Any], say: Callable[[Any], str]) -> Any:
        """Do something, note what came of it and how long it took."""
        started = time.perf_counter()
        result = do()
        milliseconds = (time.perf_counter() - started) * 1000
        self.rows.append([what, f"{milliseconds:.1f}", say(result)])
        return result

    def watch(self, direction: str, data: bytes) -> None:
        """Note what goes over the wire."""
        self.frames.append((direction, data))


@click.command(short_help="Run DSPy in a worker; show frames and times.")
@click.option(
    "--model", default="embedded", show_default=True, help="DSPy's name of a model, such as openai/gpt-4o-mini."
)
@click.option("--question", default="Why do bridges have arches?", show_default=True, help="What to ask.")
@click.pass_obj
def demo(debug: bool, model: str, question: str) -> None:
    """Run a real DSPy program in a worker and show what happened, the frames and the times."""
    found = {one.name: one for one in installed_plugins()}
    if "dspy" not in found:
        raise FrameworkNotFoundError("the demo needs the DSPy plugin: pip install bridge-dspy")
    seen = Demo()
    seen.rows.append(["find the plugin", "", f"{found['dspy'].distribution} {found['dspy'].version} by entry point"])
    started = time.perf_counter()
    with (
        working("starting a worker") as report,
        worker(["dspy"], debug=debug, report=report, watch=seen.watch) as client,
    ):
        milliseconds = (time.perf_counter() - started) * 1000
        seen.rows.append(["start a worker", f"{milliseconds:.1f}", "a process of its own answers hello"])
        _main_job(seen, client, model, question)
        client.run("shutdown")
    title = f"DSPy {importlib_metadata.version('dspy')}, out of process, model {model}"
    table(["step", "ms", "what happened"], seen.rows, title=title)
    _show_frames(seen.frames)


def _main_job(seen: Demo, client: BlockingClient, model: str, question: str) -> None:
    seen.step(
        "configure (imports DSPy)",
        lambda: client.run("dspy.configure_lm", {"model": model}),
        lambda result: f"{result['status']}: {result['model_name']}",
    )
    program = seen.step(
        "create a program",
        lambda: client.run("dspy.create_program", {"signature": _SIGNATURE}),
        lambda result: f"{_SIGNATURE!r} is {result['program_id']}",
    )
    run = {"program_id": program["program_id"], "inputs": {"question": question}}
    seen.step(
        "execute it",
        lambda: client.run("dspy.execute_program", run),
        lambda result: f"answer: {result['outputs']['answer']}",
    )
    words: list[str] = []
    seen.step(
        "stream it, word by word",
        lambda: words.extend(chunk["text"] for chunk in client.stream("dspy.execute_program", run)),
        lambda _: f"{len(words)} chunks: " + "|".join(word.strip() for word in words),
    )


def _show_frames(frames: list[tuple[str, bytes]]) -> None:
    """Print what went over the wire: four bytes of length in hex, then JSON."""
    click.echo("\nThe same from any language: write these frames to the input of `pybridge worker --framework dspy`")
    click.echo("(4 bytes of length, big-endian, then JSON) and read the answers from its output.\n")
    for direction, data in _split(frames):
        text = data[4:].decode()
        cut = "" if len(text) <= _SHOWN else f" … ({len(text)} characters)"
        click.echo(f"{direction} {data[:4].hex(' ')} {text[:_SHOWN]}{cut}")


def _split(pieces: list[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
    """Put what was read together and cut it where its frames end."""
    frames: list[tuple[str, bytes]] = []
    buffers = {"→": b"", "←": b""}
    for direction, data in pieces:
        buffer = buffers[direction] + data
        while len(buffer) >= 4 and len(buffer) >= (end := 4 + int.from_bytes(buffer[:4], "big")):
            frames.append((direction, buffer[:end]))
            buffer = buffer[end:]
        buffers[direction] = buffer
    return frames
