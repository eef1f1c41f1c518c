"""A bridge of the second kind, whose base class has been replaced by ours; its `main` has not."""

import argparse
import asyncio

from bridge_core.compat import BaseBridge


class CommandsBridge(BaseBridge):
    def __init__(self, mode="standalone", worker_id=None):
        super().__init__(mode, worker_id)
        self.started = []

    def _initialize_framework(self):
        self.started.append(self.worker_id)

    def _register_commands(self):
        self.register_command("ping", self.ping)
        self.register_command("started", self.has_started)
        self.register_command("whose", self.whose)
        self.register_command("add", self.add)
        self.register_command("wait", self.wait)
        self.register_command("count", self.count)
        self.register_command("anything", self.anything)

    def has_started(self, args):
        """Say for whom it has been initialised."""
        return {"started": self.started, "mode": self.mode}

    def whose(self, args, session_id):
        return {"session": session_id, "args": args}

    def add(self, a, b, scale=1):
        return {"sum": (a + b) * scale}

    def anything(self, **kwargs):
        return kwargs

    async def wait(self, args):
        await asyncio.sleep(0)
        return {"waited": True}

    async def count(self, args):
        for number in range(args.get("to", 3)):
            await asyncio.sleep(0)
            yield {"number": number}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--mode", default="standalone")
    parser.add_argument("--worker-id")
    options = parser.parse_args()
    CommandsBridge(options.mode, options.worker_id).run()


if __name__ == "__main__":
    main()
