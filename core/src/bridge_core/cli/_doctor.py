"""`pybridge doctor`: each finding with its remedy."""

from __future__ import annotations

import json
import platform
import sys
from importlib.util import find_spec

import click
from msgspec import Struct, structs

from bridge_core import __version__
from bridge_core._distributions import installed_plugins
from bridge_core.client import BlockingClient
from bridge_core.errors import BridgeError
from bridge_core.transports import WorkerProcess

from ._check import check_plugin
from ._output import table, working
from ._worker import START_TIMEOUT

__all__ = ["doctor"]


class Finding(Struct, frozen=True):
    """One thing that was looked at."""

    state: str
    """"ok", "note" or "broken"."""
    what: str
    finding: str
    remedy: str = ""


@click.command(short_help="Look at all that has to work; say what to mend.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def doctor(as_json: bool) -> int:
    """Look at everything that has to work and say what to do about what does not; exit 1 if something is broken."""
    with working("looking", quiet=as_json) as report:
        findings = [_python(), _terminal()]
        report("starting a worker")
        findings.append(_worker())
        for name in dict.fromkeys(one.name for one in installed_plugins()):
            report(f"loading {name}")
            findings += _plugin(name)
        if not installed_plugins():
            findings.append(Finding("note", "plugins", "none installed", "pip install bridge-dspy"))
    if as_json:
        click.echo(json.dumps([structs.asdict(one) for one in findings], indent=2))
    else:
        table(["", "what", "finding", "remedy"], [[*structs.astuple(one)] for one in findings])
    return 1 if any(one.state == "broken" for one in findings) else 0


def _python() -> Finding:
    version = f"{platform.python_implementation()} {platform.python_version()}, bridge-core {__version__}"
    if sys.platform != "linux":
        return Finding("note", "platform", f"{version} on {sys.platform}", "orphans are only prevented on Linux")
    return Finding("ok", "platform", f"{version} on {platform.system()}")


def _terminal() -> Finding:
    if find_spec("rich") is None:
        return Finding("note", "terminal", "rich is not installed: plain tables", "pip install 'bridge-core[cli]'")
    return Finding("ok", "terminal", "rich is installed")


def _worker() -> Finding:
    """Start a worker without any plugin, and hear from it."""
    try:
        with BlockingClient(WorkerProcess(environment={"BRIDGE_PLUGINS": ""})) as client:
            answer = client.run("ping", timeout=START_TIMEOUT)
    except (BridgeError, OSError) as exc:
        return Finding("broken", "worker", f"does not start: {exc}", "look at the lines above; reinstall bridge-core")
    return Finding("ok", "worker", f"starts and answers ({answer['status']})")


def _plugin(name: str) -> list[Finding]:
    check = check_plugin(name)
    if check.info is None:
        return [Finding("broken", f"plugin {name}", check.state, "see above; `pybridge plugins --check` tries again")]
    info = check.info
    findings = [Finding("ok", f"plugin {name}", f"{info['plugin']} loads, {len(info['operations'])} operations")]
    absent = [module for module in info["imports"] if find_spec(module.partition(".")[0]) is None]
    if info["version"] is None or absent:
        problem = "not installed" if info["version"] is None else f"{absent[0]} is not installed"
        wanted = " ".join(f"'{one}'" for one in info["required_packages"]) or info["distribution"]
        findings.append(Finding("broken", f"framework {name}", problem, f"pip install {wanted}"))
    else:
        findings.append(Finding("ok", f"framework {name}", f"{info['distribution']} {info['version']}"))
    return findings
