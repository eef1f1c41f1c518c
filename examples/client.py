"""A program that uses DSPy in a worker: start it with the Python that has bridge-core; README shows it as it is."""

from bridge_core import Bridge

with Bridge("dspy") as bridge:  # or Bridge({"dspy": {"python": "/path/to/venv/bin/python"}})
    bridge.configure("dspy", model="embedded")
    bridge.run("dspy.create_program", id="qa", signature="question -> answer")
    qa = {"program_id": "qa", "inputs": {"question": "Why?"}}
    print(bridge.run("dspy.execute_program", qa, timeout=30)["outputs"]["answer"])

    futures = [bridge.submit("dspy.execute_program", qa) for _ in range(32)]  # they overlap in one worker
    print(len({future.result()["outputs"]["answer"] for future in futures}), "answer")

    for chunk in bridge.stream("dspy.execute_program", qa):
        print(chunk["text"].strip(), end="|")
