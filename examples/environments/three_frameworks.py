"""One program, three frameworks, three virtual environments that need not agree about any dependency.

    python examples/environments/three_frameworks.py --dspy VENV --langchain VENV --transformers VENV --model DIRECTORY

VENV is a virtual environment with bridge-core and the framework's plugin, DIRECTORY a model for embeddings that
Transformers can load. The program itself needs bridge-core only.
"""

from __future__ import annotations

import argparse
from concurrent.futures import Future, as_completed
from pathlib import Path
from typing import Any

from bridge_core import Bridge

NOTES = ["The bridge was opened in 1932.", "The tower is 134 metres high.", "Cyclists use the western side."]
QUESTIONS = ["How high is the tower?", "When was the bridge opened?"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("dspy", "langchain", "transformers", "model"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    given = parser.parse_args()

    with Bridge({
        "transformers": {"python": str(given.transformers / "bin/python")},
        "dspy": {"python": str(given.dspy / "bin/python"), "configuration": {"model": "embedded"}},
        "langchain": {"python": str(given.langchain / "bin/python"), "configuration": {"model": "embedded"}},
    }) as bridge:  # fmt: skip
        for name in ("transformers", "dspy", "langchain"):
            found = bridge.run("describe", framework=name)
            print(f"{name} {found['version']} in process {bridge.pids()[name]}")

        bridge.run("transformers.load_model", model=str(given.model), id="notes", task="embeddings")
        bridge.run("dspy.create_program", id="qa", signature="context, question -> answer")
        bridge.run("langchain.create_chain", id="mail", template="Write a mail that says: {answer}")

        def answer(question: str) -> Future[Any]:
            """Ask DSPy about the note that Transformers finds nearest."""
            inputs = {"context": nearest(bridge, question), "question": question}
            return bridge.submit("dspy.execute_program", program_id="qa", inputs=inputs, timeout=60)

        for future in as_completed([answer(question) for question in QUESTIONS]):
            said = future.result()["outputs"]["answer"]
            mail = bridge.run("langchain.run_chain", chain_id="mail", inputs={"answer": said}, timeout=60)
            print(f"{said} -> {mail['output']}")


def nearest(bridge: Bridge, question: str) -> str:
    """Return the note whose embedding is most like that of the question."""
    texts = [*NOTES, question]
    vectors = bridge.run("transformers.embed", model_id="notes", texts=texts, normalize=True)["embeddings"]
    likeness = [sum(a * b for a, b in zip(vector, vectors[-1], strict=True)) for vector in vectors[:-1]]
    return NOTES[likeness.index(max(likeness))]


if __name__ == "__main__":
    main()
