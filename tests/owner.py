"""A program that owns a worker, to be killed by tests: `python owner.py JOB FIFO [leak]`.

It starts a worker, gives it the job, prints a line of JSON with the ids of all processes that must not outlive it, and
waits to be killed. With `leak` a sibling inherits the end of the pipe that the worker reads from.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from peer import PLUGINS, Peer

_SIBLING = "import signal; print(flush=True); signal.pause()"


def main() -> None:
    job, fifo, *options = sys.argv[1:]
    if job == "starting":
        folder = PLUGINS.with_name("plugins_broken") / "hangs"
        peer = Peer("--framework", "hangs", folders=(folder,), environment={"PROBE_FIFO": fifo})
        mortal = {"worker": int(Path(fifo).read_text())}
    else:
        peer = Peer()
        mortal = {"worker": peer.result("probe.own_pid")}
    mortal["guardian"] = peer.process.pid
    if job in ("spawn", "daemon"):
        mortal["descendant"] = peer.result(f"probe.{job}", {"new_session": True} if job == "spawn" else {})
    elif job == "swallow":
        peer.run("probe.swallow", {"name": "n"})
    elif job == "hold":
        peer.send("probe.hold", {"fifo": fifo})
        Path(fifo).read_text()
    sibling = 0
    if "leak" in options:
        os.set_inheritable(peer.input.fileno(), True)
        child = subprocess.Popen([sys.executable, "-c", _SIBLING], close_fds=False, stdout=subprocess.PIPE)
        assert child.stdout is not None
        child.stdout.readline()
        sibling = child.pid
    sys.stdout.write(json.dumps({"mortal": mortal, "sibling": sibling}) + "\n")
    sys.stdout.flush()
    signal.pause()


if __name__ == "__main__":
    main()
