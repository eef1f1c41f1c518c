"""Hugging Face Transformers behind the bridge: local models, generation and embeddings as framework `transformers`."""
