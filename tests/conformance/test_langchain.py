"""bridge-langchain passes the suite that every plugin has to pass."""

from __future__ import annotations

import pytest

from bridge_core.testing import PluginConformance


@pytest.mark.capability("B11")
class TestLangchain(PluginConformance):
    framework = "langchain"
