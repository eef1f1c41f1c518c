"""Run both pipelines with nothing but the standard library: four bytes of length, then JSON.

    python raw_frames.py

Run it in this folder; `pybridge` must be that of an environment with bridge-dspy, pandas and scikit-learn.
"""

import json
import struct
import subprocess
from pathlib import Path


def pipeline(name, framework):
    """Send the steps in a file to a worker and return what the last ones gave."""
    command = ["pybridge", "worker", "--config", "bridge.toml", "--framework", framework]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as worker:
        body = json.dumps({"id": 1, "command": "pipeline", "args": json.loads(Path(name).read_text())}).encode()
        worker.stdin.write(struct.pack(">I", len(body)) + body)
        worker.stdin.flush()
        reply = json.loads(worker.stdout.read(struct.unpack(">I", worker.stdout.read(4))[0]))
        worker.stdin.close()  # the end of its input ends the worker
    if not reply["success"]:
        raise RuntimeError(f"{reply['error_info']['reason']}: {reply['error']}")
    return [step["result"] for step in reply["result"]["pipeline_results"]]


*_, predictions, score = pipeline("data_science.json", "dspy")
print("predicted", " ".join(f"{one:.2f}" for one in predictions))
print("score", f"{score:.2f}")
print("answer", pipeline("dspy.json", "dspy")[-1])
