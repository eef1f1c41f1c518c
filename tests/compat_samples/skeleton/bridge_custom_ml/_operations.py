"""The operations of custom_ml, as far as CustomBridge in custom_bridge.py shows them."""

from __future__ import annotations

from typing import Any

from bridge_core import BridgeError, CallContext

# What brought the framework in, which the worker now imports:
#
#     import tiny_ml
#
#     self.framework = tiny_ml
#     self.models = {}
#     print("custom framework initialised")  # to stdout, as old bridges do


class CustomMlNotMovedError(BridgeError, code="unimplemented", reason="CUSTOM_ML_NOT_MOVED"):
    """The body of this operation is still in the old bridge."""


def load_model(ctx: CallContext, *, model_id: Any, scale: int = 2, labels: Any = None) -> Any:
    """Load a model under an id."""
    # load_model of CustomBridge:
    #
    #     model_id = args["model_id"]
    #     self.models[model_id] = {"scale": args.get("scale", 2), "labels": args.get("labels")}
    #     return {"status": "ok", "model_id": model_id, "count": len(self.models)}
    raise CustomMlNotMovedError("load_model: its body is still in custom_bridge.py")


def predict(ctx: CallContext, *, rows: Any, model_id: Any = None, verbose: bool = False) -> Any:
    """Scale some rows.

    The model has to be loaded first.
    """
    # predict of CustomBridge:
    #
    #     if args.get("model_id") not in self.models:
    #         raise ModelError(f"Model not found: {args.get('model_id')}")
    #     model = self.models[args["model_id"]]
    #     verbose = bool(args.get("verbose", False))
    #     if verbose:
    #         print("predicting", file=sys.stdout)
    #     return {"predictions": [row * model["scale"] for row in args["rows"]], "mode": self.mode}
    raise CustomMlNotMovedError("predict: its body is still in custom_bridge.py")


def evaluate(ctx: CallContext, *, threshold: float = 0.5) -> Any:
    """evaluate, as the old bridge did it."""
    # evaluate of CustomBridge:
    #
    #     return {"error": 0.25, "threshold": args.get("threshold", 0.5)}
    raise CustomMlNotMovedError("evaluate: its body is still in custom_bridge.py")


def train(ctx: CallContext, *, epochs: int = 3) -> Any:
    """Train for some epochs."""
    # train of CustomBridge:
    #
    #     for epoch in range(args.get("epochs", 3)):
    #         yield {"epoch": epoch}
    #     return {"status": "ok", "epochs": args.get("epochs", 3)}
    raise CustomMlNotMovedError("train: its body is still in custom_bridge.py")


def get_shape(ctx: CallContext) -> Any:
    """getShape, as the old bridge did it."""
    # getShape of CustomBridge:
    #
    #     return OrderedDict(shape=(2, 3), columns={1: "a", None: "b"})
    raise CustomMlNotMovedError("get_shape: its body is still in custom_bridge.py")


def do_it(ctx: CallContext) -> Any:
    """do-it, as the old bridge did it."""
    # do-it of CustomBridge:
    #
    #     lambda args: {'done': sorted(args)}
    raise CustomMlNotMovedError("do_it: its body is still in custom_bridge.py")


def odd(ctx: CallContext) -> Any:
    """odd, as the old bridge did it."""
    # odd of CustomBridge:
    #
    #     return {"object": object()}
    raise CustomMlNotMovedError("odd: its body is still in custom_bridge.py")


def refuse(ctx: CallContext) -> Any:
    """refuse, as the old bridge did it."""
    # refuse of CustomBridge:
    #
    #     return {"status": "error", "error": "Missing 'target' parameter", "error_type": "ValueError"}
    raise CustomMlNotMovedError("refuse: its body is still in custom_bridge.py")


def describe(ctx: CallContext) -> Any:
    """describe, as the old bridge did it."""
    # describe of CustomBridge:
    #
    #     return {"described": args}
    raise CustomMlNotMovedError("describe: its body is still in custom_bridge.py")
