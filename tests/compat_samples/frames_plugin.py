"""A framework plugin of the third kind."""


class Frame:
    """What the framework's calls return."""

    def __init__(self, rows):
        self.rows = rows


class FramesPlugin:
    def __init__(self):
        self.settings = {}
        self.loaded = False

    def name(self):
        return "frames"

    def load(self):
        import colorsys  # stands for a framework

        self.loaded = True
        return colorsys

    def configure(self, config):
        if not isinstance(config.get("rows", 2), int):
            raise ValueError(f"rows must be a number, with the key {config.get('api_key')} too")
        self.settings = {"rows": config.get("rows", 2), "api_key": config.get("api_key", "none")}

    def serialize_result(self, value):
        if isinstance(value, Frame):
            return {"type": "Frame", "shape": (len(value.rows), 1), "head": {0: value.rows[0]}}
        return None

    def get_handlers(self):
        return {"make": self.make, "loaded": lambda args: self.loaded}

    def make(self, args):
        """Make a frame."""
        return {"frame": Frame([0] * self.settings.get("rows", 2))}
