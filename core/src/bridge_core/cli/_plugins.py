"""`pybridge plugins`: what is installed, and whether it loads."""

from __future__ import annotations

import json

import click
from msgspec import structs

from bridge_core._distributions import ENTRY_POINT_GROUP, installed_plugins
from bridge_core._models import PluginMetadata

from ._check import check_plugin
from ._output import table, working

__all__ = ["plugins"]


@click.command(short_help="List installed framework plugins.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
@click.option("--check", is_flag=True, help="Load each plugin in a process of its own; exit 1 if one is broken.")
def plugins(as_json: bool, check: bool) -> int:
    """List the installed framework plugins; without --check none is imported."""
    found = installed_plugins()
    if not found and not as_json:
        click.echo(f"no plugins: none of the installed distributions has an entry point in {ENTRY_POINT_GROUP!r}")
        click.echo("install one, for example: pip install bridge-dspy")
        return 0
    states = _check_all(found, quiet=as_json) if check else {}
    broken = any(state != "loads" for state in states.values())
    if as_json:
        rows = [{**structs.asdict(one), **({"state": states[one]} if check else {})} for one in found]
        click.echo(json.dumps(rows, indent=2))
    else:
        columns = ["framework", "distribution", "version", "entry point", *(["state"] if check else [])]
        table(
            columns,
            [[one.name, one.distribution, one.version, one.target, *([states[one]] if check else [])] for one in found],
        )
    return 1 if broken else 0


def _check_all(found: list[PluginMetadata], *, quiet: bool) -> dict[PluginMetadata, str]:
    with working("loading each plugin in a process of its own", quiet=quiet) as report:
        states = {}
        for one in found:
            report(one.name)
            states[one] = check_plugin(one.name).state
    return states
