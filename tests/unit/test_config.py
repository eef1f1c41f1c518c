"""What an operator may write, and how it is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bridge_core.config import PolicySettings, configuration_of, read_configuration
from bridge_core.errors import InvalidConfigError

pytestmark = [pytest.mark.capability("A15")]


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"policy": {"allow": ["json", "*"]}}, "$.policy.allow[1]"),
        ({"policy": {"deny": ["a b"]}}, "$.policy.deny[0]"),
        ({"secrets": {"env": ["HOME", "sk-123 456"]}}, "$.secrets.env[1]"),
        ({"secrets": {"env": [""]}}, "$.secrets.env[0]"),
        ({"secrets": {"env": ["A=1"]}}, "$.secrets.env[0]"),
        ({"frameworks": {"a": {}, "b": {"x": 1}}}, "$.frameworks.b.x"),
        ({"frameworks": {"b": 1}}, "$.frameworks.b"),
        ({"frameworks": {"b": {"distribution": 1}}}, "$.frameworks.b.distribution"),
        ({"frameworks": []}, "$.frameworks"),
    ],
)
def test_what_is_wrong_is_refused_with_its_path_and_without_a_pattern(given: Any, path: str) -> None:
    with pytest.raises(InvalidConfigError) as raised:
        configuration_of(given)
    assert raised.value.details["path"] == path
    assert "regex" not in raised.value.message


def test_everything_is_allowed_by_another_key_than_the_one_that_was_tried() -> None:
    with pytest.raises(InvalidConfigError, match="allow_any"):
        configuration_of({"policy": {"allow": ["*"]}})


@pytest.mark.parametrize(
    ("name", "text"), [("a.toml", "policy.allow = ['json']"), ("a.json", '{"policy": {"allow": ["json"]}}')]
)
def test_mark_in_front_of_a_file_is_no_part_of_it(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8-sig")
    assert read_configuration(str(tmp_path / name)).policy == PolicySettings(allow=("json",))
