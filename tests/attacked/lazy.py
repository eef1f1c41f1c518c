"""A module that makes names up when it is asked for them."""

from __future__ import annotations

import os
from typing import Any

ASKED: list[str] = []


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    ASKED.append(name)
    return {"module": os, "number": 5}.get(name, os.system)
