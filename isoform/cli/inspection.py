"""`isoform inspect MODEL`: a model's architecture, size, tokenizer and files, from its config and weight headers."""

from __future__ import annotations

import argparse
import json
import math
import os
from collections.abc import Iterator
from typing import Any, NamedTuple

from .common import human_size

BYTES = {"F64": 8, "I64": 8, "U64": 8, "F32": 4, "I32": 4, "U32": 4, "F16": 2, "BF16": 2, "I16": 2, "U16": 2}
SHOWN_SIZES = (
    "vocab_size",
    "hidden_size",
    "num_hidden_layers",
    "num_attention_heads",
    "num_key_value_heads",
    "intermediate_size",
    "max_position_embeddings",
)


class Tensor(NamedTuple):
    """What the header of a weight file says about one tensor."""

    name: str
    dtype: str
    shape: tuple[int, ...]

    @property
    def elements(self) -> int:
        """Number of its elements."""
        return math.prod(self.shape)


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "model", nargs="?", metavar="MODEL", help="a folder or a name on the Hub (default: the embedded one)"
    )
    parser.add_argument("--revision", help="branch, tag or commit of the repository")
    parser.add_argument("--tensors", action="store_true", help="list every tensor")
    parser.add_argument("--json", action="store_true", help="print JSON")


def execute(options: argparse.Namespace) -> int:
    """Run."""
    from .common import model_or_default

    facts = inspect_model(model_or_default(options), options.revision, list_tensors=options.tensors)
    if options.json:
        print(json.dumps(facts, indent=2, ensure_ascii=False))
    else:
        print("\n".join(_lines(facts)))
    return 0


def inspect_model(model: str, revision: str | None = None, list_tensors: bool = False) -> dict[str, Any]:
    """Everything that can be said of a model without loading its weights.

    Raises:
        OSError: there is no such model, or its files are broken.
    """
    from .. import AutoConfig

    config = AutoConfig.from_pretrained(model, revision=revision)
    local = os.path.isdir(model)
    files = _local_files(model) if local else _hub_files(model, revision)
    tensors = list(_local_tensors(model, files) if local else _hub_tensors(model, revision, files))
    facts: dict[str, Any] = {
        "model": model,
        "architecture": ", ".join(config.architectures or ()) or "not named",
        "model_type": config.model_type,
        "tasks": _tasks(config.architectures or ()),
        "sizes": {name: getattr(config, name) for name in SHOWN_SIZES if getattr(config, name, None) is not None},
        **_weights(tensors, files),
        "cache_bytes_per_token": _cache_bytes(config, tensors),
        "tokenizer": _tokenizer(model, revision),
        "files": files,
    }
    if list_tensors:
        facts["tensors"] = [{"name": t.name, "dtype": t.dtype, "shape": list(t.shape)} for t in tensors]
    return facts


def _local_files(folder: str) -> dict[str, int]:
    """Name -> bytes."""
    found = {}
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            path = os.path.join(parent, name)
            if not name.startswith(".") and os.path.isfile(path):
                found[os.path.relpath(path, folder)] = os.path.getsize(path)
    return dict(sorted(found.items()))


def _hub_files(model: str, revision: str | None) -> dict[str, int]:
    from huggingface_hub import HfApi

    info = HfApi().model_info(model, revision=revision, files_metadata=True)
    return {file.rfilename: file.size or 0 for file in info.siblings or ()}


def _weight_names(files: dict[str, int]) -> list[str]:
    """The safetensors files of the model itself: the single one, or else the shards."""
    if "model.safetensors" in files:
        return ["model.safetensors"]
    return [name for name in files if name.endswith(".safetensors") and "/" not in name and os.sep not in name]


def _local_tensors(folder: str, files: dict[str, int]) -> Iterator[Tensor]:
    from safetensors import SafetensorError, safe_open

    from ..errors import CheckpointError

    for name in _weight_names(files):
        path = os.path.join(folder, name)
        try:
            with safe_open(path, framework="np") as weights:
                for key in weights.keys():  # noqa: SIM118 - not a dictionary
                    part = weights.get_slice(key)
                    yield Tensor(key, part.get_dtype(), tuple(part.get_shape()))
        except (SafetensorError, OSError, ValueError) as error:
            raise CheckpointError(
                f"{path}: not a valid safetensors file ({error}). Download or save it again."
            ) from error


def _hub_tensors(model: str, revision: str | None, files: dict[str, int]) -> Iterator[Tensor]:
    from huggingface_hub import HfApi

    for name in _weight_names(files):
        header = HfApi().parse_safetensors_file_metadata(model, name, revision=revision)
        for key, tensor in header.tensors.items():
            yield Tensor(key, tensor.dtype, tuple(tensor.shape))


def _weights(tensors: list[Tensor], files: dict[str, int]) -> dict[str, Any]:
    """Parameters, dtypes and bytes; None where only pickled weights exist, which cannot be read without loading."""
    if not tensors:
        pickled = sum(size for name, size in files.items() if name.endswith((".bin", ".pt", ".pth")))
        return {"parameters": None, "dtypes": {}, "weight_bytes": pickled or None}
    dtypes: dict[str, int] = {}
    for tensor in tensors:
        dtypes[tensor.dtype] = dtypes.get(tensor.dtype, 0) + tensor.elements
    size = sum(tensor.elements * BYTES.get(tensor.dtype, 1) for tensor in tensors)
    return {"parameters": sum(tensor.elements for tensor in tensors), "dtypes": dtypes, "weight_bytes": size}


def _cache_bytes(config: Any, tensors: list[Tensor]) -> int | None:
    """Bytes of keys and values that one token of one sequence occupies while a decoder generates."""
    try:
        layers, width, heads = config.num_hidden_layers, config.hidden_size, config.num_attention_heads
    except AttributeError:
        return None
    if not all(isinstance(value, int) and value > 0 for value in (layers, width, heads)):
        return None
    key_heads = getattr(config, "num_key_value_heads", None) or heads
    element = BYTES.get(tensors[0].dtype, 4) if tensors else 4
    return 2 * layers * key_heads * (width // heads) * element


def _tasks(architectures: tuple[str, ...] | list[str]) -> list[str]:
    """The pipeline tasks of the model's classes."""
    from ..pipelines.factory import task_of_class

    return sorted({task for name in architectures if (task := task_of_class(name))})


def _tokenizer(model: str, revision: str | None) -> dict[str, Any] | None:
    """Class, size and special tokens; None if the model has no tokenizer."""
    from .. import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(model, revision=revision)
    except (OSError, ValueError, KeyError, ImportError):
        return None
    length = tokenizer.model_max_length
    return {
        "class": type(tokenizer).__name__,
        "tokens": len(tokenizer),
        "max_length": length if length < 1e15 else None,
        "special_tokens": {name: str(value) for name, value in tokenizer.special_tokens_map.items()},
        "chat_template": getattr(tokenizer, "chat_template", None) is not None,
    }


def _lines(facts: dict[str, Any]) -> Iterator[str]:
    """The facts for people."""
    yield f"{facts['model']}"
    yield f"  architecture  {facts['architecture']} ({facts['model_type']})"
    if facts["tasks"]:
        yield f"  tasks         {', '.join(facts['tasks'])}"
    if facts["sizes"]:
        yield f"  sizes         {', '.join(f'{name} {value}' for name, value in facts['sizes'].items())}"
    yield f"  parameters    {_parameters(facts)}"
    memory = "unknown" if facts["weight_bytes"] is None else f"{human_size(facts['weight_bytes'])} of weights"
    cache = facts["cache_bytes_per_token"]
    yield f"  memory        {memory}{f', {human_size(cache)} of cache per generated token' if cache else ''}"
    yield f"  tokenizer     {_tokenizer_line(facts['tokenizer'])}"
    yield f"  files         {len(facts['files'])}, {human_size(sum(facts['files'].values()))}"
    width = max((len(name) for name in facts["files"]), default=0)
    for name, size in facts["files"].items():
        yield f"    {name:{width}}  {human_size(size):>9}"
    if "tensors" in facts:
        yield f"  tensors       {len(facts['tensors'])}"
        for tensor in facts["tensors"]:
            yield f"    {tensor['dtype']:5} {' x '.join(map(str, tensor['shape'])) or 'scalar':>16}  {tensor['name']}"


def _parameters(facts: dict[str, Any]) -> str:
    if facts["parameters"] is None:
        return "unknown: there are no safetensors, and other formats cannot be read without loading them"
    parts = ", ".join(f"{count:,} {dtype}" for dtype, count in sorted(facts["dtypes"].items()))
    return f"{facts['parameters']:,} ({parts})" if len(facts["dtypes"]) > 1 else parts


def _tokenizer_line(tokenizer: dict[str, Any] | None) -> str:
    if tokenizer is None:
        return "none found"
    special = ", ".join(f"{name.removesuffix('_token')} {value}" for name, value in tokenizer["special_tokens"].items())
    template = ", chat template" if tokenizer["chat_template"] else ""
    return f"{tokenizer['class']}, {tokenizer['tokens']:,} tokens{f' ({special})' if special else ''}{template}"
