"""What is installed: distributions, and the plugins that they declare."""

from __future__ import annotations

import logging
import os
import re
import sys
from collections.abc import Iterator
from typing import Any

import importlib_metadata

from ._models import PluginMetadata

__all__ = ["ENTRY_POINT_GROUP", "installed_plugins", "installed_version", "plugin_entry_points"]

ENTRY_POINT_GROUP = "bridge.plugins"
_NAME_OR_VERSION = re.compile(r"^(Name|Version):[ \t]*(\S+)", re.MULTILINE | re.IGNORECASE)
_log = logging.getLogger(__name__)


def installed_plugins() -> list[PluginMetadata]:
    """List the plugins that distributions declare, by name and distribution; imports none of them."""
    return sorted(
        (metadata for metadata, _ in plugin_entry_points()), key=lambda found: (found.name, found.distribution)
    )


def plugin_entry_points() -> Iterator[tuple[PluginMetadata, importlib_metadata.EntryPoint]]:
    """Yield the entry points in our group, with what is known of their distributions; imports nothing of theirs."""
    # Not `importlib_metadata.entry_points`: it reads every distribution's points, which takes longer the more there
    # are, and raises for one damaged file. Archives that are not there would only make it import what reads archives.
    path = [one for one in sys.path if not one.endswith(".zip") or os.path.exists(one)]
    seen: set[str] = set()
    for distribution in importlib_metadata.distributions(path=path):
        try:
            if ENTRY_POINT_GROUP not in (distribution.read_text("entry_points.txt") or ""):
                continue
            points = distribution.entry_points.select(group=ENTRY_POINT_GROUP)
            name, version = _name_and_version(distribution)
            if name and (_normal(name) in seen or _is_behind_another(distribution, name, path)):
                continue  # what is in front on the path is imported instead
        except Exception as exc:  # boundary: plugin call — passed over, and said which
            _log.warning("the entry points of %s cannot be read: %r", distribution.locate_file(""), exc)
            continue
        seen.update([_normal(name)] if name else ())
        for point in points:
            known = {"distribution": name or "unknown distribution", "version": version or "unknown version"}
            yield PluginMetadata(name=point.name, target=point.value, **known), point


def installed_version(distribution: str) -> str | None:
    """Return the version of an installed distribution, None if there is none; quicker than `importlib.metadata`."""
    try:
        found = importlib_metadata.distribution(distribution)
    except (importlib_metadata.PackageNotFoundError, ValueError):  # ValueError: an empty name
        return None
    return _name_and_version(found)[1] or None


def _name_and_version(distribution: Any) -> tuple[str, str]:
    """Read the two lines; the library's own way parses all of the metadata as mail, and takes 10 ms to be ready."""
    try:
        text = distribution.read_text("METADATA") or distribution.read_text("PKG-INFO") or distribution.read_text("")
    except UnicodeDecodeError:
        return "", ""
    head, _, _ = (text or "").lstrip("\ufeff").partition("\n\n")
    fields = {name.lower(): value for name, value in reversed(_NAME_OR_VERSION.findall(head))}
    return fields.get("name", ""), fields.get("version", "")


def _is_behind_another(distribution: Any, name: str, path: list[str]) -> bool:
    first = next(iter(importlib_metadata.distributions(name=name, path=path)), distribution)
    return bool(first.locate_file("") != distribution.locate_file(""))


def _normal(name: str) -> str:
    """Return the one form of a distribution's name, as PyPA's specification of names has it."""
    return re.sub(r"[-_.]+", "-", name).lower()
