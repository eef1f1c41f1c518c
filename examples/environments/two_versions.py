"""One program, two versions of one framework side by side, each in a virtual environment of its own.

    python examples/environments/two_versions.py VENV VENV

VENV is a virtual environment with bridge-core, bridge-dspy and some version of DSPy.
"""

from __future__ import annotations

import sys
from contextlib import ExitStack

from bridge_core import Bridge

INPUTS = {"question": "Which of the two is right?"}


def main(environments: list[str]) -> None:
    with ExitStack() as stack:
        bridges = [
            stack.enter_context(
                Bridge({"dspy": {"python": f"{one}/bin/python", "configuration": {"model": "embedded"}}})
            )
            for one in environments
        ]
        for bridge in bridges:
            bridge.run("dspy.create_program", id="qa", signature="question -> answer")
        answers = [bridge.submit("dspy.execute_program", program_id="qa", inputs=INPUTS) for bridge in bridges]
        for bridge, answer in zip(bridges, answers, strict=True):
            version = bridge.run("describe", framework="dspy")["version"]
            print(f"DSPy {version}: {answer.result(60)['outputs']['answer']}")


if __name__ == "__main__":
    main(sys.argv[1:])
