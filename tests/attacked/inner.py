"""A module of the library that is not allowed when only the library itself is."""

from __future__ import annotations

import os

LIMIT = 7
SETTINGS = {"limit": 7}


class Engine:
    """A class that the library hands on."""

    power = 3

    def __init__(self, name: str) -> None:
        self.name = name
        self.speed = 0

    @property
    def secret(self) -> str:
        return "secret"

    def start(self) -> str:
        return f"{self.name} runs"

    def stop(self) -> str:
        return f"{self.name} stands"

    def shell(self, command: str) -> str:
        raise AssertionError(f"denied wherever it is tried: {command} in {os.getcwd()}")

    def __call__(self) -> str:
        return self.start()


class Turbo(Engine):
    """A class below another one."""


def start(name: str = "engine") -> str:
    """Say that it runs."""
    return f"{name} runs"


def danger() -> str:
    """Be denied."""
    raise AssertionError("denied wherever it is tried")
