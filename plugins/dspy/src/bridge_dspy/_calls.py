"""The context in which every call of a session runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bridge_core import Session
from bridge_core.secrets import Secrets

from ._errors import Translating
from ._lm import model_of


@contextmanager
def calling(session: Session) -> Iterator[None]:
    """Apply the session's settings to what runs in the block, and translate what DSPy raises there."""
    import dspy

    model = model_of(session)
    settings: dict[str, Any] = {
        "lm": model.lm if model else None,
        "track_usage": True,
        # Both are process-wide otherwise: other sessions' prompts, kept until the ten-thousandth.
        "disable_history": True,
        "trace": [],
    }
    with Translating(model.secrets if model else Secrets()), dspy.context(**settings):
        yield
