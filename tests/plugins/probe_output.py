"""Operations that write where they should not, and read what is not theirs."""

from __future__ import annotations

import ctypes
import logging
import os
import subprocess
import sys
from typing import Any

from bridge_core import Register

# ruff: noqa: T201 — frameworks print


def register(register: Register) -> None:
    register("say", say)
    register("flood", flood)
    register("read", read)
    register("log", log)


def say(*, how: str, text: str) -> None:
    """Write to standard output in one of the ways that frameworks know."""
    if how == "print":
        print(text, flush=True)
    elif how == "original":
        print(text, flush=True, file=sys.__stdout__)
    elif how == "printf":
        library = ctypes.CDLL(None)
        library.printf(b"%s\n", text.encode())
        library.fflush(None)
    elif how == "write":
        os.write(1, f"{text}\n".encode())
    elif how == "child":
        subprocess.run(["echo", text], check=True)
    elif how == "fork":
        child = os.fork()
        if not child:
            os.write(1, f"{text}\n".encode())
            os.kill(os.getpid(), 9)
        os.waitpid(child, 0)
    else:
        raise ValueError(how)


def flood(*, size: int) -> int:
    """Print so much that a pipe which nobody reads is full."""
    print("x" * size, flush=True)
    return size


def read(*, how: str) -> Any:
    """Read from standard input in one of the ways that frameworks know."""
    if how == "input":
        return input("May I run remote code? [y/N] ")
    if how == "stdin":
        return sys.stdin.read()
    if how == "descriptor":
        return len(os.read(0, 100))
    return subprocess.run(["cat"], check=True, capture_output=True).stdout.decode()


def log(*, text: str) -> None:
    """Log a warning as if it were the worker's own."""
    logging.getLogger("bridge_core.probe").warning("%s", text)
