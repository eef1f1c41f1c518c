"""Talk to a worker with nothing but the standard library: four bytes of length, then JSON."""

import json
import struct
import subprocess

worker = subprocess.Popen(["pybridge", "worker", "--framework", "dspy"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def run(command, **args):
    body = json.dumps({"id": 1, "command": command, "args": args}).encode()
    worker.stdin.write(struct.pack(">I", len(body)) + body)
    worker.stdin.flush()
    reply = json.loads(worker.stdout.read(struct.unpack(">I", worker.stdout.read(4))[0]))
    if not reply["success"]:
        raise RuntimeError(f"{reply['error_info']['reason']}: {reply['error']}")
    return reply["result"]


run("dspy.configure_lm", model="embedded")
run("dspy.create_program", id="qa", signature="question -> answer")
result = run("dspy.execute_program", program_id="qa", inputs={"question": "Why?"})
print(result["outputs"]["answer"])
worker.stdin.close()  # the end of its input ends the worker
print("exit code", worker.wait())
