"""DSPy behind the bridge: language models, programs and their executions as operations of framework `dspy`."""
