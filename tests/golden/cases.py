"""Golden cases: outputs of the reference implementation, one file a case.

A file's tensors are inputs (`in.*`, `gen_in.*`) and expected outputs (`out.*`, `gen.*`); its header says how they came
about. Weights are derived from names by `fill_weights`, so a case also proves every name and shape.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open

import isoform

from .fill_weights import fill_weights, make_input, sample_indices

FOLDER = Path(__file__).parent


def paths() -> list[Path]:
    """Every golden file of an architecture, in a fixed order."""
    return [path for path in sorted(FOLDER.glob("*/*.safetensors")) if path.stem[0].isupper()]


def unflatten(flat: dict[str, Any]) -> dict[str, Any]:
    """Nested dicts and lists from dotted names."""
    tree: dict[str, Any] = {}
    for key, value in flat.items():
        node = tree
        *parents, last = key.split(".")
        for part in parents:
            node = node.setdefault(part, {})
        node[last] = value

    def build(node: Any) -> Any:
        if not isinstance(node, dict):
            return node
        node = {key: build(value) for key, value in node.items()}
        return [node[key] for key in sorted(node, key=int)] if node and all(key.isdigit() for key in node) else node

    return {key: build(value) for key, value in tree.items()}


def flatten(value: Any, prefix: str = "") -> dict[str, torch.Tensor]:
    """Every tensor of nested containers under dotted names."""
    if isinstance(value, torch.Tensor):
        value = value.detach()
        return {prefix: torch.view_as_real(value) if value.is_complex() else value}
    found: dict[str, torch.Tensor] = {}
    if hasattr(value, "items"):
        pairs = list(value.items())
    elif isinstance(value, (tuple, list)) or type(value).__module__ == "isoform.cache_utils":
        pairs = list(enumerate(value))
    else:
        return found
    for key, item in pairs:
        found.update(flatten(item, f"{prefix}.{key}" if prefix else str(key)))
    return found


@dataclass
class Case:
    """One golden file."""

    path: Path

    def __post_init__(self) -> None:
        with safe_open(self.path, "pt") as file:
            self.header = file.metadata()
            self.tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - not a dict

    def __str__(self) -> str:
        return self.path.stem

    def json(self, key: str) -> Any:
        return json.loads(self.header[key]) if key in self.header else None

    @cached_property
    def model_class(self) -> Any:
        return getattr(isoform, self.header["class"])

    def config(self, attn_implementation: str | None = None, **changes: Any) -> Any:
        config_class = getattr(isoform, self.header["config_class"])
        return config_class.from_dict({**self.json("config"), **changes}, attn_implementation=attn_implementation)

    def model(self, **changes: Any) -> Any:
        return fill_weights(self.model_class(self.config(**changes))).eval()

    @cached_property
    def all_inputs(self) -> dict[str, Any]:
        flat = {key[3:]: value for key, value in self.tensors.items() if key.startswith("in.")}
        flat.update({spec["key"]: make_input(spec) for spec in self.json("generated_inputs") or ()})
        flat.update(dict.fromkeys(self.json("none_inputs") or ()))
        return unflatten(flat)

    @property
    def inputs(self) -> dict[str, Any]:
        labels = self.json("labels")
        return {**{k: v for k, v in self.all_inputs.items() if k not in labels}, **self.json("call_kwargs")}

    @property
    def labels(self) -> dict[str, Any]:
        return {**{k: self.all_inputs[k] for k in self.json("labels")}, **self.json("loss_kwargs")}

    @property
    def generate_inputs(self) -> dict[str, Any]:
        return unflatten({key[7:]: value for key, value in self.tensors.items() if key.startswith("gen_in.")})

    def expected(self, prefix: str) -> dict[str, torch.Tensor]:
        return {k[len(prefix) :]: v for k, v in self.tensors.items() if k.startswith(prefix)}

    def sampled(self, name: str, value: torch.Tensor) -> torch.Tensor:
        """The elements of an output that the file kept."""
        entry = (self.json("subsampled") or {}).get(name)
        if entry is None:
            return value
        assert list(value.shape) == entry["shape"], name
        return value.reshape(-1)[torch.from_numpy(sample_indices(value.numel(), entry["kept"]))]
