"""Why a class that was brought cannot be served."""

from __future__ import annotations

import msgspec

from bridge_core._models import PluginFailure
from bridge_core.errors import BridgeError, HandlerRaisedError, PluginLoadFailedError

__all__ = ["load_failed", "said"]


def load_failed(label: str, stage: str, cause: str, remedy: str) -> PluginLoadFailedError:
    """Return the error that ends a worker's start: what was brought, what is wrong with it, what to do."""
    failure = PluginFailure(name=label, distribution=label, version="", stage=stage, cause=cause, remedy=remedy)
    return PluginLoadFailedError(f"{label} cannot be served: {cause}; {remedy}", **msgspec.structs.asdict(failure))


def said(exc: BaseException) -> str:
    """Return an exception's type and text, only the text of one of ours."""
    return exc.message if isinstance(exc, BridgeError) else HandlerRaisedError.wrapping(exc).message
