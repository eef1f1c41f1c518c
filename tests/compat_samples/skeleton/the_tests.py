"""bridge-custom-ml passes the suite that every plugin has to pass, and has what the old bridge had."""

from bridge_core.testing import PluginConformance, loopback

from bridge_custom_ml import plugin


class TestConformance(PluginConformance):
    framework = "custom_ml"


def test_operations_are_those_of_the_old_bridge() -> None:
    with loopback(plugin, name="custom_ml") as client:
        described = client.run("describe", {"framework": "custom_ml"})
    assert [operation["name"] for operation in described["operations"]] == [
        "custom_ml.describe",
        "custom_ml.do_it",
        "custom_ml.evaluate",
        "custom_ml.get_shape",
        "custom_ml.load_model",
        "custom_ml.odd",
        "custom_ml.predict",
        "custom_ml.refuse",
        "custom_ml.train",
    ]
