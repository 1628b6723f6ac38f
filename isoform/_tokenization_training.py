"""Training of a new Rust tokenizer that works like an old one on other texts."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from tokenizers import AddedToken, Tokenizer
from tokenizers.pre_tokenizers import ByteLevel
from tokenizers.trainers import BpeTrainer, UnigramTrainer, WordLevelTrainer, WordPieceTrainer

__all__ = ["TRAINERS", "train_backend"]

TRAINERS = {"BPE": BpeTrainer, "Unigram": UnigramTrainer, "WordLevel": WordLevelTrainer, "WordPiece": WordPieceTrainer}


def train_backend(
    old: Tokenizer,
    texts: Iterable[Any],
    vocab_size: int,
    length: int | None,
    new_special_tokens: list[str | AddedToken],
    renamed: dict[str, str],
    unk_token: str | AddedToken | None,
    options: dict[str, Any],
) -> Tokenizer:
    """Trains a tokenizer with the steps of `old`; `renamed` gives special tokens new names."""
    description = json.loads(old.to_str())
    model, post_processor = description["model"], description.pop("post_processor")
    special_tokens = _special_tokens(description.pop("added_tokens"), model["type"], renamed) + new_special_tokens
    _empty(model, renamed)
    tokenizer = Tokenizer.from_str(json.dumps({**description, "added_tokens": [], "post_processor": None}))
    for key in ("continuing_subword_prefix", "end_of_word_suffix"):
        if model["type"] == "BPE" and model.get(key) is not None:
            options.setdefault(key, model[key])
    if model["type"] == "Unigram" and unk_token is not None:
        options.setdefault("unk_token", renamed.get(str(unk_token), str(unk_token)))
    if _is_byte_level(description["pre_tokenizer"]):
        options.setdefault("initial_alphabet", ByteLevel.alphabet())
    trainer = TRAINERS[model["type"]](vocab_size=vocab_size, special_tokens=special_tokens, **options)
    tokenizer.train_from_iterator(texts, length=length, trainer=trainer)
    if post_processor is not None:
        trained = json.loads(tokenizer.to_str())
        trained["post_processor"] = _with_new_ids(post_processor, tokenizer, renamed)
        tokenizer = Tokenizer.from_str(json.dumps(trained))
    return tokenizer


def _special_tokens(added: list[dict[str, Any]], kind: str, renamed: dict[str, str]) -> list[AddedToken]:
    """The added tokens that the new vocabulary begins with."""
    tokens = []
    for entry in added:
        special = entry.pop("special", None)
        entry.pop("id", None)
        if kind != "Unigram" and not special:
            continue
        entry["content"] = renamed.get(entry["content"], entry["content"])
        tokens.append(AddedToken(**entry))
    return tokens


def _empty(model: dict[str, Any], renamed: dict[str, str]) -> None:
    """Takes the vocabulary out of the description of a model."""
    if model["type"] == "BPE":
        model["vocab"], model["merges"] = {}, []
    elif model["type"] == "Unigram":
        if model["unk_id"] is not None:
            token = model["vocab"][model["unk_id"]][0]
            model["unk_id"], model["vocab"] = 0, [[renamed.get(token, token), 0.0]]
    elif model["type"] in ("WordLevel", "WordPiece"):
        model["vocab"] = {}
    else:
        raise ValueError(
            f"train_new_from_iterator cannot train a model of type {model['type']!r}, only {sorted(TRAINERS)}"
        )
    if model.get("unk_token") in renamed:
        model["unk_token"] = renamed[model["unk_token"]]


def _is_byte_level(pre_tokenizer: dict[str, Any] | None) -> bool:
    if pre_tokenizer is None:
        return False
    steps = pre_tokenizer.get("pretokenizers", [pre_tokenizer])
    return any(step["type"] == "ByteLevel" for step in steps)


def _with_new_ids(processor: dict[str, Any], tokenizer: Tokenizer, renamed: dict[str, str]) -> dict[str, Any]:
    """The old post-processor with the new names and ids of special tokens."""

    def new_id(token: str) -> int:
        index = tokenizer.token_to_id(token)
        if index is None:
            raise ValueError(
                f"the post-processor adds the special token {token!r}, which the new vocabulary does not have: "
                "pass it in new_special_tokens"
            )
        return index

    if "special_tokens" in processor:
        for key in list(processor["special_tokens"]):
            entry = processor["special_tokens"].pop(key)
            tokens = [renamed.get(token, token) for token in entry["tokens"]]
            name = renamed.get(key, key)
            processor["special_tokens"][name] = {"id": name, "tokens": tokens, "ids": [new_id(t) for t in tokens]}
        for part in (*processor.get("single", ()), *processor.get("pair", ())):
            if "SpecialToken" in part:
                part["SpecialToken"]["id"] = renamed.get(part["SpecialToken"]["id"], part["SpecialToken"]["id"])
    for key in ("cls", "sep"):
        if isinstance(processor.get(key), list):
            token = renamed.get(processor[key][0], processor[key][0])
            processor[key] = [token, new_id(token)]
    if processor["type"] == "Sequence":
        processor["processors"] = [_with_new_ids(p, tokenizer, renamed) for p in processor["processors"]]
    return processor
