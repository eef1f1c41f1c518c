"""What is installed: plugins are found by what their distributions say, and damaged ones hide nobody."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from bridge_core import PluginHost, __version__, installed_plugins, installed_version

pytestmark = [pytest.mark.capability("E15")]

TESTS = Path(__file__).parents[1]


def test_installed_plugins_are_listed_without_importing_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(TESTS / "plugins_broken" / "claims_probe"))
    monkeypatch.syspath_prepend(str(TESTS / "plugins"))
    found = [(one.distribution, one.version, one.target) for one in installed_plugins() if one.name == "probe"]
    assert found == [("bridge-probe", "0.1.0", "probe"), ("claims-probe", "0.2.0", "probe")]


def test_damaged_distributions_hide_nobody_elses_plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(TESTS / "plugins"))
    for name, points in {
        "nameless": "[bridge.plugins]\nnameless = x\n",
        "garbled": "[bridge.plugins]\nno value\n",
    }.items():
        folder = tmp_path / f"{name}-1.0.dist-info"
        folder.mkdir()
        (folder / "entry_points.txt").write_text(points)
    monkeypatch.syspath_prepend(str(tmp_path))
    found = {one.name: one.distribution for one in installed_plugins()}
    assert found["probe"] == "bridge-probe"
    host = PluginHost(allow=["probe", "nameless"])
    host.discover()
    assert (sorted(host.plugins), [(one.name, one.stage) for one in host.failures]) == (
        ["probe"],
        [("nameless", "import")],
    )


@pytest.mark.parametrize("name", ["bridge-core", "Bridge_Core"])
def test_version_of_what_is_installed_is_known(name: str) -> None:
    assert installed_version(name) == __version__


def test_what_is_not_installed_has_no_version() -> None:
    assert installed_version("bridge-nobody-has-this") is None


def test_distribution_that_is_found_twice_is_no_conflict(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.syspath_prepend(str(TESTS / "plugins"))
    shutil.copytree(TESTS / "plugins" / "probe-0.1.0.dist-info", tmp_path / "probe-0.0.1.dist-info")
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    host = PluginHost(allow=["probe"])
    host.discover()
    assert host.get("probe").metadata.version == "0.1.0"


def claim(folder: Path, name: str, version: str, *, plugin: bool = True) -> None:
    """Lay down a distribution, which declares a plugin `claimed` or nothing."""
    info = folder / f"{name}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\r\nname: {name}\r\nVersion: {version}\r\n")
    (info / "entry_points.txt").write_text("[bridge.plugins]\nclaimed = x\n" if plugin else "[console_scripts]\n")


@pytest.mark.parametrize(
    ("front", "behind", "expected"),
    [
        (("bridge_claimed", "2", True), ("bridge-claimed", "1", True), ["2"]),
        (("bridge_claimed", "2", False), ("bridge_claimed", "1", True), []),
        (("bridge_other", "2", True), ("bridge_claimed", "1", True), ["1", "2"]),
    ],
    ids=["spelt otherwise", "no plugin any more", "another distribution"],
)
def test_distribution_in_front_on_the_path_hides_the_one_behind_it(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    front: tuple[str, str, bool],
    behind: tuple[str, str, bool],
    expected: list[str],
) -> None:
    for folder, (name, version, plugin) in {"front": front, "behind": behind}.items():
        claim(tmp_path / folder, name, version, plugin=plugin)
    monkeypatch.setattr(sys, "path", [str(tmp_path / "front"), str(tmp_path / "behind"), *sys.path])
    assert sorted(one.version for one in installed_plugins() if one.name == "claimed") == expected


def test_metadata_that_cannot_be_read_leaves_a_plugin_without_a_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim(tmp_path, "bridge_claimed", "1")
    (tmp_path / "bridge_claimed-1.dist-info/METADATA").write_bytes(b"Name: bridge\xe9\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert [one.distribution for one in installed_plugins() if one.name == "claimed"] == ["unknown distribution"]
    assert installed_version("bridge-claimed") is None
    assert installed_version("") is None
