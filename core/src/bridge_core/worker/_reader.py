"""The reader: the only thread that reads the wire; it routes, and answers what needs no plugin code."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping

from bridge_core.protocol import BadMessage, Request

from ._calls import Call
from ._dispatcher import Dispatcher

__all__ = ["Reader"]

_log = logging.getLogger(__name__)


class Reader:
    """Reads until the input ends.

    Args:
        dispatcher: Turns requests into calls.
        places: Who takes a call, by where its operation runs.
        end: Called once with the reason when nothing more will be read.
    """

    def __init__(
        self, dispatcher: Dispatcher, places: Mapping[str, Callable[[Call], None]], end: Callable[[str], None]
    ) -> None:
        self._dispatcher = dispatcher
        self._places = {**places, "reader": dispatcher.run}
        self._end = end
        self._lost = False

    def start(self) -> None:
        """Begin to read, in a thread of its own."""
        threading.Thread(target=self._run, name="bridge-reader", daemon=True).start()

    def _run(self) -> None:
        try:
            while self._read():
                continue
        except Exception:  # boundary: thread top — a worker that cannot read must end, not hang
            _log.exception("the reader failed; please report this")
            self._lost = True
        self._end("framing lost" if self._lost else "end of input")

    def _read(self) -> bool:
        """Take what has arrived; return whether there may be more."""
        dispatcher, connection = self._dispatcher, self._dispatcher.connection
        data = dispatcher.transport.receive()
        connection.receive_data(data)
        while (message := connection.next_message()) is not None:
            if answer := connection.data_to_send():
                dispatcher.transport.offer(answer)
            if isinstance(message, Request):
                call = dispatcher.route(message)
                if call is not None:
                    self._places[call.operation.runs](call)
            elif isinstance(message, BadMessage):
                dispatcher.refuse(message)
                self._lost = message.fatal
                if message.fatal:
                    return False
            if not dispatcher.transport.wait_for_room():
                return False
        if answer := connection.data_to_send():
            dispatcher.transport.offer(answer)
        return bool(data)
