"""For plugins that are given keys: what is secret, and texts and exceptions without it."""

from ._credentials import Credentials
from ._redaction import Secrets

__all__ = ["Credentials", "Secrets"]
