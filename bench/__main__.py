"""`python -m bench`: measure and print; run it from the repository's root on a machine that does nothing else."""

from __future__ import annotations

import sys

from .overlap import measure


def main() -> int:
    """Print every measurement."""
    print("32 DSPy executions at once, one worker, against a local model that takes 200 ms each:")
    for seconds in measure(rounds=5):
        print(f"  {seconds:.3f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
