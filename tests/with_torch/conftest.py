"""Models that tests share; none changes the files."""

from __future__ import annotations

import pytest
from with_torch.calls import Peer
from with_torch.models import make_encoder, make_model


@pytest.fixture(scope="session")
def directory(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The directory of a causal language model."""
    return make_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="session")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The directory of a model for embeddings."""
    return make_encoder(tmp_path_factory.mktemp("encoder"))


@pytest.fixture
def peer(directory: str) -> Peer:
    """A peer whose session has the model `m`."""
    made = Peer()
    made.call("load_model", model=directory, id="m")
    return made
