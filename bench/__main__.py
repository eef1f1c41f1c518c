"""`python -m bench`: measure every peer side by side and write the results; bench/README.md says how to prepare."""

from __future__ import annotations

import argparse
import json
import shlex
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .chart import chart
from .figures import Figures
from .goals import GOALS
from .link import ROOT
from .lives import LIVES
from .machine import description
from .own import OWN
from .peers import PEERS, QUICK
from .report import number, report
from .run import Job, jobs, perform, prepare
from .works import FREE, PINNED

_WORKS = [*FREE, *LIVES, *OWN]
_SHOWN = ("p50_us", "in_flight", "import_client_ms", "dspy_start_ms", "overlap_s")


def main(arguments: Sequence[str]) -> int:
    """Run what the flags say, and write RESULTS.md and chart.svg."""
    flags = _flags(arguments)
    if flags.again is None:
        command = shlex.join(["python", "-m", "bench", *arguments])
        head = description(command, rounds=flags.rounds, seed=flags.seed)
        found = _measure(flags, head)
    else:
        head, *rest = (json.loads(line) for line in flags.again.read_text("utf-8").splitlines())
        head, found = head["head"], rest
    figures = Figures.of(found)
    page = report(figures, PEERS, head=head)
    flags.out.mkdir(parents=True, exist_ok=True)
    (flags.out / "RESULTS.md").write_text(page, encoding="utf-8")
    (flags.out / "chart.svg").write_text(chart(figures, PEERS), encoding="utf-8")
    print(page)
    return int(any(goal.verdict(figures).reached is False for goal in GOALS))


def _flags(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="3 rounds of the peers that the goals speak of")
    parser.add_argument("-r", "--rounds", type=int, help="5 by default: what the goals are judged by")
    parser.add_argument("-p", "--peers", type=_words([*PEERS]), help=f"some of {','.join(PEERS)}")
    parser.add_argument("-w", "--works", type=_words(_WORKS), default=_WORKS, help=f"some of {','.join(_WORKS)}")
    parser.add_argument("--python", action="append", default=[], metavar="PEER=PATH",
                        help="another interpreter for a peer whose dependencies fit with nobody's")  # fmt: skip
    parser.add_argument("--seed", type=int, default=int(time.time()), help="of the shuffling")
    parser.add_argument("--out", type=Path, default=ROOT / "bench", help="folder for RESULTS.md and chart.svg")
    parser.add_argument(
        "--record", type=Path, help="file for what each process has found, a line each; /tmp by default"
    )
    parser.add_argument("--again", type=Path, metavar="RECORD", help="do not measure: write the results of a record")
    flags = parser.parse_args(arguments)
    flags.rounds = flags.rounds or (3 if flags.quick else 5)
    flags.peers = flags.peers or (QUICK if flags.quick else [*PEERS])
    flags.record = flags.record or Path(tempfile.gettempdir(), f"bench-{flags.seed}.jsonl")
    flags.python = dict(pair.split("=", 1) for pair in flags.python)
    return flags


def _words(known: Sequence[str]) -> Any:
    def words(text: str) -> list[str]:
        found = [word for word in text.split(",") if word]
        if unknown := sorted(set(found) - set(known)):
            raise argparse.ArgumentTypeError(f"{', '.join(unknown)} is none of {', '.join(known)}")
        return found

    return words


def _plan(flags: argparse.Namespace) -> dict[tuple[str, str], list[str]]:
    """Return which works there are for each peer and place."""
    plan = {(work, "free"): [work] for work in flags.works if work in OWN}
    for name in flags.peers:
        plan[name, "pinned"] = [work for work in flags.works if work in PINNED]
        plan[name, "free"] = [work for work in flags.works if work not in OWN]
    return plan


def _measure(flags: argparse.Namespace, head: str) -> list[Mapping[str, Any]]:
    prepare()
    todo = jobs(flags.rounds, _plan(flags), flags.seed)
    found: list[Mapping[str, Any]] = []
    seen: set[str] = set()
    hopeless: set[str] = set()
    flags.record.write_text(json.dumps({"head": head}) + "\n", encoding="utf-8")
    print(f"record: {flags.record}", file=sys.stderr)
    for left, job in zip(range(len(todo) - 1, -1, -1), todo, strict=True):
        if job.name in hopeless:
            continue
        started = time.monotonic()
        one = perform(job, flags.python.get(job.name, sys.executable))
        found.append(one)
        if one["numbers"]:
            seen.add(job.name)
        elif job.name not in seen:
            hopeless.add(job.name)  # one that has never worked would cost the limit again in every round
        with flags.record.open("a", encoding="utf-8") as record:
            record.write(json.dumps(one) + "\n")
        print(_progress(job, one, time.monotonic() - started, left), file=sys.stderr, flush=True)
    return found


def _progress(job: Job, found: Mapping[str, Any], seconds: float, left: int) -> str:
    numbers = [f"{key} {number(found['numbers'][key])}" for key in _SHOWN if key in found["numbers"]]
    failed = [f"{work}: {why}" for work, why in found["failed"].items()]
    said = ", ".join(numbers + failed)
    return f"{left:4} left  round {job.round}  {job.name:12} {job.place:6} {seconds:5.1f} s  {said}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
