"""How long 32 executions take that wait for a model: one worker must overlap them."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from bridge_core.client import BlockingClient
from bridge_core.protocol import Connection, Failure, Request, Response
from bridge_core.transports import WorkerProcess

CALLS = 32
MODEL_SECONDS = 0.2
_SERVER = Path(__file__).parents[1] / "tests" / "integration" / "dspy_lm_server.py"


def measure(*, rounds: int) -> Iterator[float]:
    """Yield the seconds of each round; a first, unmeasured one opens the connections."""
    command = [sys.executable, str(_SERVER), str(MODEL_SECONDS)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        base_url = server.stdout.readline().strip()
        process = WorkerProcess(["--framework", "dspy"])
        with BlockingClient(process) as client:
            settings = {"model": "openai/local", "api_base": base_url, "api_key": "none"}
            client.run("dspy.configure_lm", settings)
            client.run("dspy.create_program", {"id": "qa", "signature": "question -> answer"})
            for number in range(rounds + 1):
                seconds = _round(process)
                if number:
                    yield seconds
        server.communicate()


def _round(process: WorkerProcess) -> float:
    """Send all requests, then read until each has its answer."""
    connection = Connection("peer")
    started = time.perf_counter()
    for number in range(CALLS):
        arguments = {"program_id": "qa", "inputs": {"question": f"number {number}?"}}
        request = Request(id=number, operation="dspy.execute_program", arguments=arguments)
        process.transport.offer(connection.send(request))
    answered = 0
    while answered < CALLS:
        while (message := connection.next_message()) is None:
            connection.receive_data(process.transport.receive(30.0))
        if isinstance(message, Failure):
            raise RuntimeError(message.error)
        answered += isinstance(message, Response)
    return time.perf_counter() - started
