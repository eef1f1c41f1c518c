"""What holds for every test: nothing is left behind, and hypothesis is repeatable where it gates."""

from __future__ import annotations

import os

from hypothesis import settings

from guards import leaves_nothing_behind

__all__ = ["leaves_nothing_behind"]

# Machines differ in speed, so no example has a deadline; the gate tries the same examples every time and keeps no
# database, while a developer's machine explores.
settings.register_profile("here", deadline=None)
settings.register_profile("gate", deadline=None, derandomize=True, database=None)
settings.load_profile("gate" if os.environ.get("CI") else "here")
