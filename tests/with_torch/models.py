"""Tiny models that tests make themselves: each token decides the next one, so what they say is known beforehand."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from tokenizers import AddedToken, Tokenizer, decoders, pre_tokenizers
from tokenizers.models import BPE
from transformers import BertConfig, BertModel, GenerationConfig, Qwen2Config, Qwen2ForCausalLM

__all__ = ["CONTEXT", "ENCODER_CONTEXT", "SAYS", "make_encoder", "make_model"]

CONTEXT = 4096
"""Tokens that a model can look at."""
ENCODER_CONTEXT = 512
"""The same of a model for embeddings."""
SAYS = "The tiny model ends with café."
"""What a model says to any prompt of ASCII characters (a token each), in nine tokens and the one that ends a text."""
_WORDS = ["The", " tiny", " model", " ends", " with", " caf"]
# The accented letter is two tokens: neither is a character by itself.
_SPELLED = "é."
_END = "<|end|>"
# A prompt that ends with this is answered without end.
_ENDLESS = {"…": " on", " on": " and", " and": " on"}


def make_model(folder: Path, *, dtype: torch.dtype = torch.float32, **generation: Any) -> str:
    """Write a causal language model with its tokenizer and return the folder's path.

    Args:
        folder: Made if need be.
        dtype: Of the weights.
        generation: Settings that the model's author recommends.
    """
    tokenizer = _tokenizer([*_WORDS, *_ENDLESS])
    ids = tokenizer.get_vocab()
    size = len(ids) + len(ids) % 2  # the model's one head has an even number of dimensions
    model = Qwen2ForCausalLM(
        Qwen2Config(
            vocab_size=size,
            hidden_size=size,
            intermediate_size=2,
            num_hidden_layers=1,
            num_attention_heads=1,
            num_key_value_heads=1,
            max_position_embeddings=CONTEXT,
            bos_token_id=None,
            eos_token_id=ids[_END],
            pad_token_id=None,
            tie_word_embeddings=False,
        )
    )
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.fill_(1.0 if name.endswith("norm.weight") else 0.0)
        # The layer adds nothing, so what is known of a token is its own number, and the head looks up what follows.
        model.model.embed_tokens.weight.copy_(torch.eye(size))
        for before, after in _successors(tokenizer).items():
            model.lm_head.weight[after, before] = 1.0
    model.generation_config = GenerationConfig(**{"eos_token_id": ids[_END], **generation})
    model.to(dtype).save_pretrained(folder)
    _write_tokenizer(tokenizer, folder)
    return str(folder)


def make_encoder(folder: Path) -> str:
    """Write a model for embeddings, of 8 dimensions, and return the folder's path."""
    tokenizer = _tokenizer([])
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=8,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=ENCODER_CONTEXT,
    )
    BertModel(config).save_pretrained(folder)
    _write_tokenizer(tokenizer, folder)
    return str(folder)


def _tokenizer(words: list[str]) -> Tokenizer:
    """Return a tokenizer that knows each byte, and these words."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(BPE(vocab={letter: number for number, letter in enumerate(alphabet)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(_END, special=True, normalized=False)])
    tokenizer.add_tokens([AddedToken(word, special=False, normalized=False) for word in words])
    return tokenizer


def _write_tokenizer(tokenizer: Tokenizer, folder: Path) -> None:
    """Write it so that transformers 4 and 5 read it."""
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "eos_token": _END,
        "clean_up_tokenization_spaces": False,
        "model_input_names": ["input_ids", "attention_mask"],
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))


def _successors(tokenizer: Tokenizer) -> dict[int, int]:
    """Return which token follows which."""
    ids = tokenizer.get_vocab()
    chain = [*(ids[word] for word in _WORDS), *tokenizer.encode(_SPELLED).ids, ids[_END]]
    after = {ids[letter]: chain[0] for letter in pre_tokenizers.ByteLevel.alphabet()}
    after.update(pairwise(chain))
    after.update((ids[before], ids[word]) for before, word in _ENDLESS.items())
    return after
