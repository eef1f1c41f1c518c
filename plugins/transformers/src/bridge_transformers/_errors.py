"""What goes wrong with models and has a reason of its own."""

from __future__ import annotations

from bridge_core import BridgeError


class TransformersDirectoryNotFoundError(BridgeError, code="not_found", reason="TRANSFORMERS_DIRECTORY_NOT_FOUND"):
    """The worker's machine has no such directory."""


class TransformersHubRefusedError(BridgeError, code="unimplemented", reason="TRANSFORMERS_HUB_REFUSED"):
    """This is the name of a model on the hub; only local directories are loaded."""


class TransformersModelIncompleteError(BridgeError, code="failed_precondition", reason="TRANSFORMERS_MODEL_INCOMPLETE"):
    """The directory lacks a file that a model needs; `details.missing` names it."""


class TransformersUnsafeWeightsError(BridgeError, code="permission_denied", reason="TRANSFORMERS_UNSAFE_WEIGHTS"):
    """The weights are pickles, which can run code; only safetensors are loaded."""


class TransformersRemoteCodeError(BridgeError, code="permission_denied", reason="TRANSFORMERS_REMOTE_CODE"):
    """The model wants to be loaded by code of its own, which is never run."""


class TransformersLoadFailedError(BridgeError, code="failed_precondition", reason="TRANSFORMERS_LOAD_FAILED"):
    """The files are there, but make no model of this task; `details` has what transformers says."""


class TransformersDeviceUnavailableError(
    BridgeError, code="failed_precondition", reason="TRANSFORMERS_DEVICE_UNAVAILABLE"
):
    """The worker's torch cannot use this device."""


class TransformersWrongTaskError(BridgeError, code="failed_precondition", reason="TRANSFORMERS_WRONG_TASK"):
    """The model was loaded for another task."""


class TransformersContextExceededError(BridgeError, code="invalid_argument", reason="TRANSFORMERS_CONTEXT_EXCEEDED"):
    """A text has more tokens than the model or `max_length` takes; `details` has both numbers."""


class TransformersModelUnloadedError(BridgeError, code="aborted", reason="TRANSFORMERS_MODEL_UNLOADED"):
    """The model was unloaded while it was in use."""
