"""A local HTTP server that speaks the OpenAI chat API, for tests and benchmarks.

The requested model's name says what the server does:

* ``status-401``: an error answer of that status;
* ``quota``: 429 with OpenAI's `insufficient_quota`; ``context``: 400 with `context_length_exceeded`;
* ``garbage``: an answer in which no output field can be found;
* ``one-piece``: when streamed, the whole answer in one piece; ``endless``: words until the client hangs up;
* ``caller``: calls the first of its tools again and again; other models do so once, before they answer. Each parameter
  of the tool gets what the user has said;
* anything else: ``NAME says: …``, where NAME is the model, to what was said last; to a prompt of DSPy's, this in each
  output field that it asks for.

Run as a program it serves until its input ends: ``python lm_server.py [DELAY_SECONDS]`` prints its base URL.
"""

from __future__ import annotations

import json
import re
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_REQUESTED = re.compile(r"\[\[ ## (\w+) ## \]\]`( \(must be formatted as a valid Python (\w+))?")
_DSPY = "Respond with the corresponding output fields"
_BOUND = 5.0
_PIECES = re.compile(r"\s*\S+")
_ERRORS = {
    "quota": (429, {"message": "You exceeded your current quota.", "type": "x", "code": "insufficient_quota"}),
    "context": (400, {"message": "maximum context length is 10 tokens", "code": "context_length_exceeded"}),
}
_TYPED = {"int": "7", "float": "0.5", "bool": "True", "list": '["one", "two"]', "dict": '{"one": 1}'}


class LMServer(ThreadingHTTPServer):
    """Answers every request after `delay` seconds; `requests` are the bodies received so far."""

    daemon_threads = True
    request_queue_size = 128  # the default of 5 makes bursts of connections wait for a retransmitted SYN

    def __init__(self, *, delay: float = 0.0, closes: bool = False) -> None:
        self.delay = delay
        self.closes = closes
        """Whether a connection is for one request only, so that clients may outlive the tests that use them."""
        self.hold: threading.Barrier | None = None
        """When set, no request is answered before that many have arrived."""
        self.requests: list[dict[str, Any]] = []
        self.authorizations: list[str | None] = []
        self.hung_up = threading.Event()
        self.stopped = threading.Event()
        super().__init__(("127.0.0.1", 0), _ChatHandler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Stay silent about clients that hang up, and only about those."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"


class _ChatHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body leave in one packet
    disable_nagle_algorithm = True
    server: LMServer

    def log_message(self, format: str, *args: Any) -> None:
        """Stay silent."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.close_connection = self.server.closes
        self.server.requests.append(body)
        self.server.authorizations.append(self.headers.get("authorization"))
        if self.server.hold is not None:
            self.server.hold.wait(_BOUND)
        # A stopping server answers nobody any more, so that a test need not wait for a slow one.
        if self.server.stopped.wait(self.server.delay):
            return
        model = body["model"]
        if model in _ERRORS:
            status, error = _ERRORS[model]
            self._send_json(status, {"error": error})
        elif model.startswith("status-"):
            status = int(model.removeprefix("status-"))
            self._send_json(status, {"error": {"message": f"refused, key was {self.headers.get('authorization')}"}})
        elif body.get("stream"):
            self._send_events(body)
        else:
            self._send_json(200, _completion(body))

    def _send_json(self, status: int, value: dict[str, Any]) -> None:
        payload = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(payload)))
        if self.server.closes:
            self.send_header("connection", "close")
        self.end_headers()
        self.wfile.write(payload)

    def _send_events(self, body: dict[str, Any]) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("connection", "close")
        self.end_headers()
        self.close_connection = True
        try:
            for event in _events(body):
                self.wfile.write(b"data: " + event.encode() + b"\n\n")
                self.wfile.flush()
        except ConnectionError:
            self.server.hung_up.set()
            raise


def answer_to(body: dict[str, Any]) -> str:
    """Return the text a well-behaved model would write for this chat request."""
    if body["model"] == "garbage":
        return "I would rather talk about the weather."
    prompt = str(body["messages"][-1]["content"])
    _, asked, required = prompt.rpartition(_DSPY)
    if not asked:
        return f"{body['model']} says: {prompt}"
    question = prompt.partition("]]\n")[2].partition("\n")[0]
    said = f"{body['model']} says: {question}"
    fields = {name: _TYPED.get(type_, said) for name, _, type_ in _REQUESTED.findall(required) if name != "completed"}
    return "".join(f"[[ ## {name} ## ]]\n{text}\n\n" for name, text in fields.items()) + "[[ ## completed ## ]]"


def _tool_call(body: dict[str, Any]) -> dict[str, Any] | None:
    """Return the call of a tool that the model wants before it answers, if it does."""
    messages = body["messages"]
    if body["model"] == "endless" or not body.get("tools"):
        return None
    if messages[-1]["role"] == "tool" and body["model"] != "caller":
        return None
    function = body["tools"][0]["function"]
    said = next(message["content"] for message in reversed(messages) if message["role"] == "user")
    arguments = json.dumps(dict.fromkeys(function["parameters"]["properties"], said))
    return {
        "id": f"call_{len(messages)}",
        "type": "function",
        "function": {"name": function["name"], "arguments": arguments},
    }


def _completion(body: dict[str, Any]) -> dict[str, Any]:
    call = _tool_call(body)
    text = "" if call else answer_to(body)
    message = {"role": "assistant", "content": text, **({"tool_calls": [call]} if call else {})}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": body["model"],
        "choices": [{"index": 0, "message": message, "finish_reason": "tool_calls" if call else "stop"}],
        "usage": _usage(text),
    }


def _usage(text: str) -> dict[str, int]:
    return {"prompt_tokens": 11, "completion_tokens": len(text.split()), "total_tokens": 11 + len(text.split())}


def _events(body: dict[str, Any]) -> Iterator[str]:
    base = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": body["model"]}

    def event(delta: dict[str, Any], finish: str | None = None) -> str:
        return json.dumps({**base, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})

    call = _tool_call(body)
    text = "" if call else answer_to(body)
    yield event({"role": "assistant", "content": ""})
    if call:
        yield event({"tool_calls": [{"index": 0, **call}]})
    if body["model"] == "endless":
        if text.startswith("[[ ## "):
            yield event({"content": "[[ ## answer ## ]]\n"})
        while True:
            yield event({"content": "more "})
    for piece in [text] if body["model"] == "one-piece" else _PIECES.findall(text):
        yield event({"content": piece})
    yield event({}, "tool_calls" if call else "stop")
    yield json.dumps({**base, "choices": [], "usage": _usage(text)})
    yield "[DONE]"


@contextmanager
def serving(*, delay: float = 0.0, closes: bool = False) -> Iterator[LMServer]:
    """Serve in a background thread for the duration of the block."""
    server = LMServer(delay=delay, closes=closes)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, name="lm-server")
    thread.start()
    try:
        yield server
    finally:
        server.stopped.set()
        server.shutdown()
        thread.join(5)
        server.server_close()


def unused_port() -> int:
    """Return a local port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def main() -> None:
    with serving(delay=float(sys.argv[1]) if len(sys.argv) > 1 else 0.0) as server:
        sys.stdout.write(server.base_url + "\n")
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    main()
