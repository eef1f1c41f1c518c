"""`pybridge describe`: what a framework offers and how an operation is called."""

from __future__ import annotations

import json
from typing import Any

import click

from ._output import table
from ._worker import worker

__all__ = ["describe"]


@click.command(short_help="Show a framework's operations, or one's arguments.")
@click.argument("name", metavar="FRAMEWORK[.OPERATION]")
@click.option("--json", "as_json", is_flag=True, help="Print everything, schemas included, as JSON.")
@click.pass_obj
def describe(debug: bool, name: str, as_json: bool) -> None:
    """Show a framework's operations, or one operation's arguments."""
    framework, dot, _ = name.partition(".")
    with worker([framework], debug=debug) as client:
        described = client.run("describe", {"operation": name} if dot else {"framework": framework})
    if as_json:
        click.echo(json.dumps(described, ensure_ascii=False, indent=2))
    elif dot:
        _show_operation(described)
    else:
        _show_framework(described)


def _show_framework(described: dict[str, Any]) -> None:
    version = described["version"] or "not installed"
    click.echo(f"{described['name']}: {described['distribution']} {version}, served by {described['plugin']}\n")
    rows = [[one["name"], "yes" if one["streaming"] else "", one["summary"]] for one in described["operations"]]
    table(["operation", "streams", "what it does"], rows)


def _show_operation(described: dict[str, Any]) -> None:
    click.echo(f"{described['name']}: {described['summary']}\n")
    schema = described["arguments"]
    rows = []
    for name, field in schema.get("properties", {}).items():
        needed = "required" if name in schema.get("required", []) else f"default {json.dumps(field.get('default'))}"
        rows.append([name, _type(field), needed, _meaning(field)])
    if rows:
        table(["argument", "type", "", "meaning"], rows)
    else:
        click.echo("It takes no arguments.")
    click.echo("\nThe full JSON Schema: add --json.")


def _type(field: dict[str, Any]) -> str:
    """Say a JSON Schema's type in a word or two."""
    if "anyOf" in field:
        return " or ".join(dict.fromkeys(_type(option) for option in field["anyOf"]))
    if "enum" in field:
        return " or ".join(json.dumps(value) for value in field["enum"])
    return str(field.get("type", "any"))


def _meaning(field: dict[str, Any]) -> str:
    """Return the description of a JSON Schema, or of the first of its alternatives that has one."""
    options = [field, *field.get("anyOf", [])]
    return next((str(option["description"]) for option in options if "description" in option), "")
