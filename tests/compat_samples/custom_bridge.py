"""A bridge with a base class of its own, in the file that an old launcher starts."""

import sys
from collections import OrderedDict

from base_bridge import BaseBridge


class ModelError(Exception):
    """There is no such model."""


class CustomBridge(BaseBridge):
    """Serves models that it keeps in itself."""

    def _register_handlers(self):
        self._handlers.update(
            {
                "load_model": self._handle_load_model,
                "predict": self._handle_predict,
                "evaluate": self._handle_evaluate,
                "train": self._train,
                "getShape": self.get_shape,
                "do-it": lambda args: {"done": sorted(args)},
                "odd": self._odd,
                "refuse": self._refuse,
                "describe": self._describe,
            }
        )

    def _initialize_framework(self):
        import tiny_ml

        self.framework = tiny_ml
        self.models = {}
        print("custom framework initialised")  # to stdout, as old bridges do

    def get_framework_info(self):
        return {"name": "Custom-ML", "version": "1.0.0", "capabilities": ["models", "training"]}

    def _handle_load_model(self, args):
        """Load a model under an id."""
        model_id = args["model_id"]
        self.models[model_id] = {"scale": args.get("scale", 2), "labels": args.get("labels")}
        return {"status": "ok", "model_id": model_id, "count": len(self.models)}

    def _handle_predict(self, args):
        """Scale some rows.

        The model has to be loaded first.
        """
        if args.get("model_id") not in self.models:
            raise ModelError(f"Model not found: {args.get('model_id')}")
        model = self.models[args["model_id"]]
        verbose = bool(args.get("verbose", False))
        if verbose:
            print("predicting", file=sys.stdout)
        return {"predictions": [row * model["scale"] for row in args["rows"]], "mode": self.mode}

    def _handle_evaluate(self, args):
        return {"error": 0.25, "threshold": args.get("threshold", 0.5)}

    def _train(self, args):
        """Train for some epochs."""
        for epoch in range(args.get("epochs", 3)):
            yield {"epoch": epoch}
        return {"status": "ok", "epochs": args.get("epochs", 3)}

    def get_shape(self, args):
        return OrderedDict(shape=(2, 3), columns={1: "a", None: "b"})

    def _odd(self, args):
        return {"object": object()}

    def _refuse(self, args):
        return {"status": "error", "error": "Missing 'target' parameter", "error_type": "ValueError"}

    def _describe(self, args):
        return {"described": args}


if __name__ == "__main__":
    CustomBridge(mode="pool-worker").run()
