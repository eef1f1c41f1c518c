"""A base class as such bridges bring it along: it registers and initialises in its constructor and has a loop."""

import json
import struct
import sys
import time
from abc import ABC, abstractmethod


class BaseBridge(ABC):
    def __init__(self, mode="standalone", worker_id=None):
        self.mode = mode
        self.worker_id = worker_id
        self.start_time = time.time()
        self._handlers = {"ping": self._ping, "get_stats": self._stats, "shutdown": self._shutdown}
        self._register_handlers()
        self._initialize_framework()

    @abstractmethod
    def _register_handlers(self): ...

    @abstractmethod
    def _initialize_framework(self): ...

    @abstractmethod
    def get_framework_info(self): ...

    def _ping(self, args):
        return {"status": "ok", "worker_id": self.worker_id, "said_by": "the old base"}

    def _stats(self, args):
        return {"uptime": time.time() - self.start_time}

    def _shutdown(self, args):
        return {"status": "shutting_down"}

    def run(self):
        while len(header := sys.stdin.buffer.read(4)) == 4:
            request = json.loads(sys.stdin.buffer.read(struct.unpack(">I", header)[0]))
            result = self._handlers[request["command"]](request["args"])
            answer = {"id": request["id"], "success": True, "result": result}
            data = json.dumps(answer).encode()
            sys.stdout.buffer.write(struct.pack(">I", len(data)) + data)
            sys.stdout.buffer.flush()
