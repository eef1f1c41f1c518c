"""The command `pybridge`, also `python -m bridge_core`; a worker starts without importing the rest."""

from __future__ import annotations

import sys

__all__ = ["main"]


def main() -> int:
    """Run the command line and return the exit code."""
    if sys.argv[1:2] == ["worker"] and not {"-h", "--help"} & set(sys.argv):
        from .worker import main as worker

        return worker(sys.argv[2:])
    from .cli import main as shell

    return shell()


if __name__ == "__main__":
    sys.exit(main())
