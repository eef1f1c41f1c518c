"""Steps of a pipeline."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ._given import merged
from ._refs import Key, RefItem

__all__ = ["Step"]


class Step:
    """One call of a pipeline; given as an argument of a later one, it stands for what it returned.

    Args:
        target: See `BridgeSession.call`, also for the others.
        args: Positional arguments.
        store_as: The id under which the result is kept when the pipeline has ended.
        by_value: Whether the result comes back by value although it is kept.
        attribute: Whether the target is read, not called.
        omit: Whether the result is left out of the pipeline's, as None: for what only later steps use.
        timeout: Seconds for this step.
        kwargs: Keyword arguments, in addition to `more`.
        more: Keyword arguments.
    """

    def __init__(
        self,
        target: str,
        /,
        *args: Any,
        store_as: str | None = None,
        by_value: bool = False,
        attribute: bool = False,
        omit: bool = False,
        timeout: float | None = None,
        kwargs: Mapping[str, Any] | None = None,
        **more: Any,
    ) -> None:
        self.target = target
        self.args = args
        self.kwargs = merged(kwargs, more)
        self.store_as = store_as
        self.by_value = by_value
        self.attribute = attribute
        self.omit = omit
        self.timeout = timeout

    def item(self, *path: Key) -> RefItem:
        """Return what stands for a part of the result in arguments; see `Ref.item`."""
        return RefItem(self, path)

    def __repr__(self) -> str:
        return f"<Step {self.target}>"
