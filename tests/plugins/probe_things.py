"""A library that no plugin knows, for dynamic calls by the Python client."""

from __future__ import annotations


class Thing:
    """Something that has anything as its size."""

    def __init__(self, size: object) -> None:
        self.size = size

    def add(self, more: int, *, times: int = 1) -> Thing:
        """Return a larger one."""
        assert isinstance(self.size, int)
        return Thing(self.size + more * times)

    def __call__(self, *args: object, **kwargs: object) -> list[object]:
        """Return what it was called with."""
        return [self.size, [*args], kwargs]


def keywords(**given: object) -> list[list[str]]:
    """Return the keywords and what they were given."""
    return [[name, repr(value)] for name, value in sorted(given.items())]
