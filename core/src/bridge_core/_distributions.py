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
_NAME_OR_VERSION = re.compile(r"^(Name|Version):[ \t]*(\S+)", re.MULTILINE)
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
    seen: set[str] = set()
    for distribution in importlib_metadata.distributions(path=[one for one in sys.path if os.path.exists(one or ".")]):
        try:
            if ENTRY_POINT_GROUP not in (distribution.read_text("entry_points.txt") or ""):
                continue
            points = distribution.entry_points.select(group=ENTRY_POINT_GROUP)
            name, version = _name_and_version(distribution)
        except Exception as exc:  # boundary: plugin call — passed over, and said which
            _log.warning("the entry points of %s cannot be read: %r", distribution.locate_file(""), exc)
            continue
        if name in seen:  # behind one on the path that is imported instead
            continue
        seen.update([name] if name else ())
        for point in points:
            known = {"distribution": name or "unknown distribution", "version": version or "unknown version"}
            yield PluginMetadata(name=point.name, target=point.value, **known), point


def installed_version(distribution: str) -> str | None:
    """Return the version of an installed distribution, None if there is none; quicker than `importlib.metadata`."""
    try:
        found = importlib_metadata.distribution(distribution)
    except importlib_metadata.PackageNotFoundError:
        return None
    return _name_and_version(found)[1] or None


def _name_and_version(distribution: Any) -> tuple[str, str]:
    """Read the two lines; the library's own way parses all of the metadata as mail, and takes 10 ms to be ready."""
    head, _, _ = (distribution.read_text("METADATA") or distribution.read_text("PKG-INFO") or "").partition("\n\n")
    fields = dict(reversed(_NAME_OR_VERSION.findall(head)))
    return fields.get("Name", ""), fields.get("Version", "")
