"""MLServer's custom runtime: the tensor that came, or the JSON text that came."""

from __future__ import annotations

import json
import os

from mlserver import MLModel
from mlserver.types import InferenceRequest, InferenceResponse, ResponseOutput

__all__ = ["EchoModel"]


class EchoModel(MLModel):  # type: ignore[misc]
    """Echoes its one input; a JSON null is answered with the worker's process id."""

    async def load(self) -> bool:
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        tensor = payload.inputs[0]
        data = tensor.data
        if tensor.datatype == "BYTES":
            value = json.loads(data[0])
            data = [json.dumps(os.getpid() if value is None else value)]
        output = ResponseOutput(name="x", shape=tensor.shape, datatype=tensor.datatype, data=data)
        return InferenceResponse(model_name=self.name, outputs=[output])
