"""The command group, and how errors and exit codes look to a person."""

from __future__ import annotations

import sys
import traceback

import click

from bridge_core import __version__
from bridge_core.errors import BridgeError

from ._call import call
from ._demo import demo
from ._describe import describe
from ._doctor import doctor
from ._plugins import plugins

__all__ = ["main"]

EXIT_FAILED, EXIT_INTERRUPTED = 1, 130
"""0 is success, 2 wrong use (click's own); `pybridge worker` adds 3: the peer broke the framing."""


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 done, 1 failed, 2 wrong use, 3 (worker) the peer broke the framing, 130 interrupted.",
)
@click.version_option(__version__, package_name="bridge-core", prog_name="pybridge")
@click.option("--debug", is_flag=True, help="Show tracebacks, and the worker's log.")
@click.pass_context
def pybridge(context: click.Context, debug: bool) -> None:
    """Use Python ML frameworks out of process, through one protocol."""
    context.obj = debug


@pybridge.command(short_help="Serve frameworks to a peer.")
@click.option("--framework", multiple=True, metavar="NAME", help="Serve this framework; the first is the default.")
@click.option("--mode", metavar="NAME", help="What `ping` reports as mode (standalone).")
@click.option("--worker-id", metavar="ID", help="What the worker calls itself.")
@click.option("--codec", type=click.Choice(["json", "msgpack", "auto"]), help="How messages are encoded (json).")
@click.option("--strict", is_flag=True, help="Do not start when any plugin is broken.")
@click.option("--debug", is_flag=True, help="Log to stderr; errors carry tracebacks.")
def worker(**options: object) -> None:
    """Serve frameworks to the peer at standard input and output.

    Frames are a 4-byte big-endian length and that many bytes of JSON. Unknown flags are reported on stderr and
    ignored. Ends with its input.
    """
    # Reached only for --help: `pybridge worker` starts before click is imported.


for command in (call, demo, describe, doctor, plugins):
    pybridge.add_command(command)


def main() -> int:
    """Run one command line; whatever goes wrong is one readable message and an exit code."""
    debug = "--debug" in sys.argv
    try:
        code = pybridge.main(standalone_mode=False)
    except click.ClickException as exc:
        exc.show()
        return exc.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        return EXIT_INTERRUPTED
    except (BridgeError, OSError) as exc:
        if debug:
            traceback.print_exc()
        reason = f" [{exc.reason}]" if isinstance(exc, BridgeError) else ""
        click.echo(f"error: {exc}{reason}", err=True)
        return EXIT_FAILED
    return code if isinstance(code, int) else 0
