"""Talking to a worker from Python."""

from ._blocking import BlockingClient
from ._exceptions import exception_of

__all__ = ["BlockingClient", "exception_of"]
