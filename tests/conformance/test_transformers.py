"""bridge-transformers passes the suite that every plugin has to pass, with torch and without."""

from __future__ import annotations

import pytest

from bridge_core.testing import PluginConformance


@pytest.mark.capability("B11")
class TestTransformers(PluginConformance):
    framework = "transformers"
