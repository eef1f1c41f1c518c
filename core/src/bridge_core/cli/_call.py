"""`pybridge call`: run operations in a worker started for the purpose."""

from __future__ import annotations

import json
from typing import Any

import click
import msgspec

from bridge_core.client import BlockingClient
from bridge_core.secrets._redactor import Redactor
from bridge_core.secrets._references import SecretReferences

from ._output import working
from ._worker import worker

__all__ = ["call"]

_LONGEST = 10_000_000


def _steps(words: tuple[str, ...]) -> list[tuple[str, dict[str, Any]]]:
    """Split `A.b key=value then C.d …` into operations and their arguments."""
    groups: list[list[str]] = [[]]
    for word in words:
        if word == "then":
            groups.append([])
        else:
            groups[-1].append(word)
    if not all(groups):
        raise click.BadParameter("an operation must stand on both sides of `then`", param_hint="call")
    return [(name, dict(map(_argument, pairs))) for name, *pairs in groups]


def _argument(word: str) -> tuple[str, Any]:
    name, equals, text = word.partition("=")
    if not equals or not name:
        raise click.BadParameter(f"{word!r}: write key=value, with JSON or plain text as value", param_hint="call")
    try:
        return name, msgspec.json.decode(text)
    except msgspec.DecodeError:
        return name, text  # what is not JSON is text


def _resolved(
    client: BlockingClient, references: SecretReferences, name: str, arguments: dict[str, Any]
) -> dict[str, Any]:
    """Return arguments with the secrets that they refer to: who types a command is the operator of its worker."""
    text = msgspec.json.encode(arguments)
    if (b'"$env"' in text or b'"$file"' in text) and client.run("describe", {"operation": name})["configures"]:
        resolved: dict[str, Any] = references.resolve(arguments)
        return resolved
    return arguments


def _finite(context: click.Context, parameter: click.Parameter, value: float | None) -> float | None:
    if value is not None and not 0 < value < _LONGEST:
        raise click.BadParameter(f"{value}: seconds, more than 0 and less than {_LONGEST}")
    return value


@click.command(short_help="Run operations and print the last result.")
@click.argument("words", nargs=-1, required=True, metavar="FRAMEWORK.OPERATION [KEY=VALUE]... [then ...]")
@click.option("--json", "as_json", is_flag=True, help="Print the bare JSON result on one line.")
@click.option("--stream", is_flag=True, help="Ask the last operation for chunks and print each as it comes.")
@click.option(
    "--timeout", type=float, callback=_finite, metavar="SECONDS", help="Give up on an operation after this time."
)
@click.option("--config", metavar="FILE", help="What the worker allows: a bridge.toml, or JSON.")
@click.pass_obj
def call(
    debug: bool, words: tuple[str, ...], as_json: bool, stream: bool, timeout: float | None, config: str | None
) -> None:
    """Run an operation and print its result.

    Several joined by `then` share one worker and one session; the last one's result is printed:

    \b
      pybridge call dspy.configure_lm model=embedded \\
        then dspy.create_program id=qa signature="question -> answer" \\
        then dspy.execute_program program_id=qa inputs='{"question": "Why?"}'

    Functions of any library that FILE allows are called by the operation `call`:

    \b
      pybridge call call target=statistics.mean args='[[1, 2, 6]]' --config bridge.toml
    """
    steps = _steps(words)
    frameworks = list(dict.fromkeys(name.partition(".")[0] for name, _ in steps if "." in name))
    redactor = Redactor()
    with (
        working("starting a worker", quiet=as_json) as report,
        worker(frameworks, config=config, debug=debug, report=report, redactor=redactor) as client,
    ):
        references = SecretReferences(redactor, resolved="marked")
        for name, arguments in steps[:-1]:
            client.run(name, _resolved(client, references, name, arguments), timeout=timeout)
        name, arguments = steps[-1]
        arguments = _resolved(client, references, name, arguments)
        if not stream:
            result = client.run(name, arguments, timeout=timeout)
        else:
            chunks = client.stream(name, arguments, timeout=timeout)
            while True:
                try:
                    click.echo(json.dumps(next(chunks), ensure_ascii=False))
                except StopIteration as stop:
                    result = stop.value
                    break
    click.echo(json.dumps(result, ensure_ascii=False, indent=None if as_json else 2))
