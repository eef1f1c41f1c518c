"""Dotted names: what a target may look like, and the rules of the operator that name modules and callables."""

from __future__ import annotations

from collections.abc import Iterable

from bridge_core.errors import BadTargetError, TargetNotAllowedError

__all__ = ["LONGEST", "READABLE", "Names", "check_length", "check_segment", "refusal", "segments_of"]

READABLE = frozenset(["__call__", "__contains__", "__getitem__", "__iter__", "__len__"])
"""The only names with underscores in front that a target may have, at its end."""

LONGEST = 1000
"""Characters of a target."""
# Modules that are known by another name than they give themselves.
_KNOWN_AS = {"nt": "os", "ntpath": "os.path", "posix": "os", "posixpath": "os.path"}


def segments_of(target: str) -> list[str]:
    """Return the parts between the dots.

    Raises:
        BadTargetError: It is no dotted name.
    """
    if not target.strip():
        raise BadTargetError("$.target: must not be empty; give a dotted name such as 'json.dumps'", path="$.target")
    check_length(target)
    segments = target.split(".")
    if "" in segments:
        raise BadTargetError(f"$.target: {target!a} has nothing before, between or behind its dots", path="$.target")
    return segments


def check_length(target: str) -> None:
    """Refuse a target that is longer than any name.

    Raises:
        BadTargetError: It is.
    """
    if len(target) > LONGEST:
        raise BadTargetError(f"$.target: longer than {LONGEST} characters", path="$.target")


def check_segment(target: str, segment: str, *, last: bool) -> None:
    """Refuse what is no public name.

    Raises:
        TargetNotAllowedError: It has other characters than names do, or begins with an underscore.
    """
    if not segment.isidentifier() or not _as_python_reads_it(segment):
        raise refusal(target, f"{segment!a} is not written as a name")
    if segment.startswith("_") and not (last and segment in READABLE):
        raise refusal(target, f"{segment!r} is private")


def refusal(target: str, why: str) -> TargetNotAllowedError:
    """Return the error for a target that the policy does not allow."""
    target = target[:LONGEST]
    return TargetNotAllowedError(f"{ascii(target)[1:-1]} is not allowed: {why}", target=target)


def _as_python_reads_it(segment: str) -> bool:
    """Whether it is its own normal form: others look like a name that they are not."""
    if segment.isascii():
        return True
    import unicodedata  # only for who has such names

    return unicodedata.normalize("NFKC", segment) == segment


class Names:
    """A list of modules and callables: `NAME` for the one itself, `NAME.*` for a module and its submodules."""

    def __init__(self, entries: Iterable[str]) -> None:
        self._exact: set[str] = set()
        self._trees: set[str] = set()
        for entry in entries:
            base = entry.removesuffix(".*")
            (self._exact if base == entry else self._trees).add(base)
        self._all = self._exact | self._trees

    def names(self, name: str) -> bool:
        """Whether exactly this name is listed by itself."""
        return name in self._exact

    def lists(self, name: str) -> bool:
        """Whether exactly this name is listed, or something above it with all that is below."""
        return name in self._exact or _within(name, self._trees)

    def covers(self, module: str) -> bool:
        """Whether a module is listed, or belongs to a package that is: for what has been reached by a listed name."""
        return any(_within(name, self._all) for name in _spellings(module))

    def holds(self, module: str) -> bool:
        """Whether a module is listed, under whichever of its names."""
        return any(self.lists(name) for name in _spellings(module))

    def leads_to(self, name: str) -> bool:
        """Whether something below this name is listed."""
        return any(entry.startswith(f"{name}.") for entry in self._all)


def _spellings(module: str) -> list[str]:
    """Return the names that a module goes by; one with an underscore in front is how others are written in C: `_io`."""
    return [module, *([module.lstrip("_")] if module[:1] == "_" else []), *filter(None, [_KNOWN_AS.get(module)])]


def _within(name: str, packages: set[str]) -> bool:
    """Whether it is one of the packages or below one."""
    while name:
        if name in packages:
            return True
        name = name.rpartition(".")[0]
    return False
