"""What a run has found, by peer and number: the medians that the tables, the goals and the chart are made of."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import attrs

__all__ = ["Figures"]


@attrs.frozen
class Figures:
    """The numbers of all rounds.

    Args:
        values: By peer and name of the number, one value for each round that has it.
        versions: Of the distributions that peers need.
        failures: What did not work, as peer, work and what happened, each once.
    """

    values: Mapping[tuple[str, str], Sequence[float]]
    versions: Mapping[str, str]
    failures: Sequence[tuple[str, str, str]]

    @classmethod
    def of(cls, found: Iterable[Mapping[str, Any]]) -> Figures:
        """Gather what the jobs have found."""
        values: dict[tuple[str, str], list[float]] = {}
        versions: dict[str, str] = {}
        failures: dict[tuple[str, str], str] = {}
        for one in found:
            versions.update(one["versions"])
            for key, value in one["numbers"].items():
                values.setdefault((one["name"], key), []).append(value)
            for work, why in one["failed"].items():
                failures.setdefault((one["name"], work), why)
        return cls(values, versions, [(name, work, why) for (name, work), why in failures.items()])

    def median(self, name: str, key: str) -> float | None:
        """Return the median over the rounds, None if no round has it."""
        values = self.values.get((name, key))
        return statistics.median(values) if values else None

    def rounds(self, name: str, key: str) -> Sequence[float]:
        """Return the value of each round."""
        return self.values.get((name, key), ())

    def measured(self, name: str) -> bool:
        """Say whether there is any number of that peer."""
        return any(peer == name for peer, _ in self.values)
