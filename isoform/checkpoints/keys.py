"""Matching the names in a checkpoint to the names in a model."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

# How checkpoints of older TensorFlow and PyTorch versions call what is now called otherwise; tried in both directions
# where a name is not one of the model's.
_RENAMES = (
    ("gamma", "weight"),
    ("beta", "bias"),
    ("weight_g", "parametrizations.weight.original0"),
    ("weight_v", "parametrizations.weight.original1"),
    ("parametrizations.weight.original0", "weight_g"),
    ("parametrizations.weight.original1", "weight_v"),
    ("shared.weight", "decoder.embed_tokens.weight"),  # the decoder alone, from a model with an encoder
)


@dataclass
class KeyMatch:
    """What the keys of a checkpoint mean to a model. Names are those of the checkpoint unless said otherwise.

    Attributes:
        targets: Name in the file -> name in the model, for every tensor to load.
        reported: Name in the model -> how it is called in reports: the name that the checkpoint has or would have.
        missing: Expected but absent, shared tensors of which another name is present aside.
        unexpected: Present but not expected.
        absent: Names in the model of parameters and buffers that nothing in the checkpoint fills.
    """

    targets: dict[str, str]
    reported: dict[str, str]
    missing: list[str]
    unexpected: list[str]
    absent: list[str]


def match_keys(model: Any, keys: Iterable[str]) -> KeyMatch:
    """Matches checkpoint keys to `model`, which may be a body where the checkpoint has a head, or the reverse.

    Raises:
        ValueError: Some keys of a body carry its prefix's absence while others are a head's: two checkpoints mixed up.
    """
    state = {name: value for name, value in model.state_dict(keep_vars=True).items() if isinstance(value, Tensor)}
    keys = list(keys)
    reported = _checkpoint_names(model, state, keys)
    expected = {name: target for target, name in reported.items()}
    targets, leftover = {}, []
    for key in keys:
        name = key if key in expected else _renamed(key, expected)
        if name is None:
            leftover.append(key)
        else:
            targets[key] = expected[name]
    filled = set(targets.values())
    absent = _absent(state, filled)
    ignored_missing = [re.compile(p) for p in model._keys_to_ignore_on_load_missing or ()]
    missing = [reported[name] for name in absent if not any(p.search(reported[name]) for p in ignored_missing)]
    return KeyMatch(targets, reported, missing, _unexpected(model, leftover, reported), absent)


def _checkpoint_names(model: Any, state: dict[str, Tensor], keys: list[str]) -> dict[str, str]:
    """For each name in the model, the name in the checkpoint: without or with the prefix of the body."""
    prefix = f"{model.base_model_prefix}."
    if prefix == ".":
        return {name: name for name in state}
    in_checkpoint = any(key.startswith(prefix) for key in keys)
    in_model = any(name.startswith(prefix) for name in state)
    if in_checkpoint and not in_model:
        return {name: prefix + name for name in state}
    if in_model and not in_checkpoint:
        names = {name: name.removeprefix(prefix) for name in state}
        _check_not_mixed(model, names, prefix, keys)
        return names
    return {name: name for name in state}


def _check_not_mixed(model: Any, names: dict[str, str], prefix: str, keys: list[str]) -> None:
    head = {name for name in names if not name.startswith(prefix)}
    body = {short for name, short in names.items() if name.startswith(prefix)}
    if any(key in head and key not in body for key in keys):
        raise ValueError(
            f"The checkpoint does not fit together: it has weights of the head of {type(model).__name__}, as in "
            f"{sorted(head & set(keys))[0]!r}, but those of the body lack the prefix {prefix!r}. Save the whole "
            "model again."
        )


def _renamed(key: str, expected: dict[str, str]) -> str | None:
    for old, new in _RENAMES:
        if old in key and key.replace(old, new) in expected:
            return key.replace(old, new)
    return None


def _absent(state: dict[str, Tensor], filled: set[str]) -> list[str]:
    """Names that no checkpoint key fills, neither under their own name nor under that of a shared tensor."""
    filled_tensors = {id(state[name]) for name in filled}
    return [name for name, tensor in state.items() if name not in filled and id(tensor) not in filled_tensors]


def _unexpected(model: Any, leftover: list[str], reported: dict[str, str]) -> list[str]:
    prefix = f"{model.base_model_prefix}."
    buffers = {name for name, _ in model.named_buffers()}
    if any(name != called for name, called in reported.items()):
        buffers |= {prefix + name for name in buffers} | {name.removeprefix(prefix) for name in buffers}
    patterns = (*model.ignored_checkpoint_keys, *(model._keys_to_ignore_on_load_unexpected or ()))
    ignored = [re.compile(pattern) for pattern in patterns]
    return [key for key in leftover if key not in buffers and not any(pattern.search(key) for pattern in ignored)]


def owner_of(model: nn.Module, name: str) -> tuple[nn.Module, str]:
    """The module that holds a parameter or buffer, and its name there."""
    path, _, leaf = name.rpartition(".")
    return model.get_submodule(path), leaf
