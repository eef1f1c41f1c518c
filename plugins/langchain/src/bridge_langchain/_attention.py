"""What an agent's run does about its call between two steps.

This module imports LangChain: import it inside functions only.
"""

from __future__ import annotations

import threading
from collections.abc import Generator
from typing import Any

from langchain_core.callbacks import BaseCallbackHandler

from bridge_core import CallContext
from bridge_core.errors import CallCancelledError


class Attention(BaseCallbackHandler):
    """Ends a run that is no longer wanted before it asks the model again, calls a tool or takes another piece.

    LangGraph runs a streamed agent in a thread of its own and puts what it says into a queue without a limit; a stream
    that is closed waits until the agent has ended. So the agent waits here before each piece until somebody wants it.
    """

    raise_error = True
    run_inline = True

    def __init__(self, ctx: CallContext) -> None:
        self._ctx = ctx
        self._closed = False
        self._wanted = threading.Event()
        self._wanted.set()

    def taken(self, stream: Generator[Any, None, None]) -> Generator[Any, None, None]:
        """Yield what a stream of the agent's yields, and end the agent when closed."""
        try:
            for item in stream:
                self._wanted.clear()
                yield item
                self._wanted.set()
        finally:
            self._closed = True
            self._wanted.set()
            stream.close()

    def on_chat_model_start(self, *args: Any, **kwargs: Any) -> None:
        """Called before the model is asked."""
        self._look()

    def on_tool_start(self, *args: Any, **kwargs: Any) -> None:
        """Called before a tool is called."""
        self._look()

    def on_llm_new_token(self, *args: Any, **kwargs: Any) -> None:
        """Called for each piece that the model writes."""
        self._wanted.wait()
        self._look()

    def _look(self) -> None:
        if self._closed:
            raise CallCancelledError(f"the stream of {self._ctx.operation} was closed")
        self._ctx.check()
