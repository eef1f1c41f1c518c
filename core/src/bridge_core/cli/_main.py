"""The command group, and how errors and exit codes look to a person."""

from __future__ import annotations

import io
import sys
import traceback

import click

from bridge_core import __version__
from bridge_core.errors import BridgeError

from ._call import call
from ._demo import demo
from ._describe import describe
from ._doctor import doctor
from ._migrate import migrate
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


@pybridge.command(
    short_help="Serve frameworks to a peer.",
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
)
@click.option("--framework", multiple=True, metavar="NAME", help="Serve this framework; the first is the default.")
@click.option("--bridge", metavar="FILE.py:CLASS", help="Serve a class of an older kind, unchanged; also MODULE:CLASS.")
@click.option("--mode", metavar="NAME", help="What `ping` reports as mode (standalone).")
@click.option("--worker-id", metavar="ID", help="What the worker calls itself.")
@click.option("--codec", metavar="json|msgpack|auto", help="How messages are encoded (json).")
@click.option("--config", metavar="FILE", help="What the operator allows: a bridge.toml, or JSON.")
@click.option("--strict", is_flag=True, help="Do not start when any plugin is broken.")
@click.option("--debug", is_flag=True, help="Log to stderr; errors carry tracebacks.")
@click.pass_context
def worker(context: click.Context, /, **described: object) -> int:
    """Serve frameworks to the peer at standard input and output.

    Frames are a 4-byte big-endian length and that many bytes of JSON. Unknown flags are reported on stderr and
    ignored. Ends with its input.
    """
    # `pybridge worker` starts before click is imported (__main__.py); this is for `pybridge --debug worker`, and for
    # --help, where the options above say what the worker itself parses.
    from bridge_core.worker import main as serve

    return serve([*sys.argv[sys.argv.index("worker") + 1 :], *(["--debug"] if context.obj else [])])


for command in (call, demo, describe, doctor, migrate, plugins):
    pybridge.add_command(command)


def main() -> int:
    """Run one command line; whatever goes wrong is one readable message and an exit code."""
    debug = "--debug" in sys.argv
    if sys.stdout is None:
        sys.stderr.write("error: standard output is closed: nobody would see the result\n")
        return EXIT_FAILED
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal's encoding may lack what a model writes
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
