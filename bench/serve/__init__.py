"""The workers of the peers: one module each with `serve`, importing no more than that peer's worker needs."""
