"""Which files hold the weights of a checkpoint: in a folder, in the cache or on the Hub, single or in shards."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any

from ..errors import CheckpointError
from ..utils import constants as names
from ..utils import logging
from ..utils.hub import cached_file, extract_commit_hash, get_checkpoint_shard_files
from .transaction import committed_path

logger = logging.get_logger(__name__)

OTHER_FRAMEWORKS = {
    names.TF2_WEIGHTS_NAME: "TensorFlow",
    f"{names.TF_WEIGHTS_NAME}.index": "TensorFlow",
    names.FLAX_WEIGHTS_NAME: "Flax",
}


@dataclass
class WeightSource:
    """Where weights come from.

    Attributes:
        files: Paths of the weight files.
        index: What the index of shards says (`weight_map`, `all_checkpoint_keys`, its metadata); None for a single
        file. commit: Commit of the repository on the Hub, if it is known.
    """

    files: list[str]
    index: dict[str, Any] | None = None
    commit: str | None = field(default=None)


def add_variant(name: str, variant: str | None = None) -> str:
    """`model.safetensors` of the variant `fp16` is `model.fp16.safetensors`; the index ends with `index.fp16.json`."""
    if variant is None:
        return name
    stem, _, suffix = name.rpartition(".")
    return f"{stem}.{variant}.{suffix}"


def candidates(use_safetensors: bool | None, variant: str | None) -> list[str]:
    """Names of weight files and indexes, in the order in which they are preferred."""
    safe = [names.SAFE_WEIGHTS_NAME, names.SAFE_WEIGHTS_INDEX_NAME]
    legacy = [names.WEIGHTS_NAME, names.WEIGHTS_INDEX_NAME]
    chosen = safe if use_safetensors else legacy if use_safetensors is False else safe + legacy
    return [add_variant(name, variant) for name in chosen]


def find_weights(
    name_or_path: str | os.PathLike[str],
    *,
    variant: str | None = None,
    use_safetensors: bool | None = None,
    subfolder: str = "",
    **hub: Any,
) -> WeightSource:
    """Finds, or downloads, the weight files of a checkpoint.

    Args:
        name_or_path: A folder, a weight file or index in one, or a repository of the Hub.
        variant: Looks for `model.<variant>.safetensors` and so on.
        use_safetensors: True allows safetensors only, False only `.bin`; None prefers safetensors.
        subfolder: Folder of the weights below that.
        hub: Arguments of `cached_file`: cache_dir, token, revision...

    Raises:
        CheckpointError: There are no weights, or none that are allowed.
    """
    place = os.fspath(name_or_path)
    found: str | None
    direct = next(filter(os.path.isfile, (os.path.join(subfolder, place), os.path.join(place, subfolder))), None)
    if direct is not None:
        folder, below, found = os.path.dirname(direct), "", direct
    elif os.path.isdir(place):
        folder, below = os.path.join(place, subfolder), ""
        found = _in_folder(folder, candidates(use_safetensors, variant))
    else:
        folder, below = place, subfolder
        found = _on_hub(place, candidates(use_safetensors, variant), subfolder, hub)
    if found is None:
        raise CheckpointError(_nothing_found(place, subfolder, variant, use_safetensors, hub))
    if found.endswith(".json"):
        return _shards(folder, found, below, hub)
    return WeightSource([found], commit=extract_commit_hash(found, hub.get("_commit_hash")))


def _in_folder(folder: str, wanted: list[str]) -> str | None:
    paths = (committed_path(folder, name) for name in wanted)
    return next((path for path in paths if os.path.isfile(path)), None)


def _on_hub(repo: str, wanted: list[str], subfolder: str, hub: dict[str, Any]) -> str | None:
    options = {**hub, "_raise_exceptions_for_missing_entries": False, "_raise_exceptions_for_connection_errors": True}
    for name in wanted:
        path = cached_file(repo, name, subfolder=subfolder, **options)
        if path is not None:
            return path
    _complain_if_unreachable(repo, wanted[0], subfolder, hub)
    return None


def _complain_if_unreachable(repo: str, name: str, subfolder: str, hub: dict[str, Any]) -> None:
    """Raises what `cached_file` says where a file may exist but cannot be had, rather than "there is none"."""
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        cached_file(repo, name, subfolder=subfolder, **hub)
    except OSError as error:
        if isinstance(error.__cause__, LocalEntryNotFoundError):
            raise


def _shards(folder: str, index: str, subfolder: str, hub: dict[str, Any]) -> WeightSource:
    commit = extract_commit_hash(index, hub.get("_commit_hash"))
    files, metadata = get_checkpoint_shard_files(folder, index, subfolder=subfolder, **{**hub, "_commit_hash": commit})
    if os.path.isdir(folder):
        files = [committed_path(folder, os.path.relpath(file, folder)) for file in files]
    for file in files:
        if not os.path.isfile(file):
            raise CheckpointError(
                f"{index} lists the shard {os.path.basename(file)}, but {file} does not exist. The checkpoint is"
                " incomplete: download or save it again."
            )
    return WeightSource(files, metadata, commit)


def _nothing_found(
    place: str, subfolder: str, variant: str | None, use_safetensors: bool | None, hub: dict[str, Any]
) -> str:
    wanted = [name for name in candidates(use_safetensors, variant) if not name.endswith(".json")]
    text = f"No weights in {os.path.join(place, subfolder)}: expected {' or '.join(wanted)} (or an index of shards)."
    if not os.path.isdir(place):
        others = [
            name for name in candidates(None, None) if name not in wanted and _exists(place, name, subfolder, hub)
        ]
        others += [name for name in OTHER_FRAMEWORKS if not others and _exists(place, name, subfolder, hub)]
    else:
        folder = os.path.join(place, subfolder)
        present = set(os.listdir(folder)) if os.path.isdir(folder) else set()
        others = sorted(present & {*OTHER_FRAMEWORKS, *candidates(None, None)})
        text += f" Found there: {', '.join(sorted(present)[:20]) or 'nothing'}."
    foreign = sorted({OTHER_FRAMEWORKS[name] for name in others if name in OTHER_FRAMEWORKS})
    if foreign:
        text += f" There are weights for {' and '.join(foreign)}: convert them to PyTorch first."
    elif others:
        text += f" There is {', '.join(others)}: leave out `variant` and `use_safetensors` to use it."
    return text


def _exists(repo: str, name: str, subfolder: str, hub: dict[str, Any]) -> bool:
    quiet = {"_raise_exceptions_for_missing_entries": False, "_raise_exceptions_for_connection_errors": False}
    # Asking for the file would download it; the Hub is asked for its list of files instead.
    from ..utils.hub import has_file

    if hub.get("local_files_only"):
        return cached_file(repo, name, subfolder=subfolder, **{**hub, **quiet}) is not None
    try:
        path = f"{subfolder}/{name}" if subfolder else name
        return has_file(repo, path, revision=hub.get("revision"), token=hub.get("token"))
    except OSError:
        return False
