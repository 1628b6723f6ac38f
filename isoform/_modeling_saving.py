"""`save_pretrained`: a checkpoint that replaces the old one as a whole, or not at all."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ._modeling_module import get_parameter_dtype
from .checkpoints.transaction import committed_names, replace_files
from .checkpoints.write import WeightWriter, state_to_save, without_duplicates
from .utils import logging

logger = logging.get_logger(__name__)


def unwrap_model(model: nn.Module) -> nn.Module:
    """The model inside the wrappers of distributed training (`DistributedDataParallel` and the like)."""
    while hasattr(model, "module"):
        model = model.module  # type: ignore[assignment]
    return model


class SavingMixin:
    """Writing checkpoints."""

    config: Any

    def save_pretrained(
        self,
        save_directory: str | os.PathLike[str],
        is_main_process: bool = True,
        state_dict: Mapping[str, Tensor] | None = None,
        save_function: Callable[..., Any] = torch.save,
        push_to_hub: bool = False,
        max_shard_size: int | str = "5GB",
        safe_serialization: bool = True,
        variant: str | None = None,
        token: str | bool | None = None,
        save_peft_format: bool = True,
        **kwargs: Any,
    ) -> None:
        """Writes configuration and weights to a folder, from which `from_pretrained` loads them.

        A crash or a full disk at any instant leaves the old checkpoint or the new one, complete (see
        `checkpoints.transaction`). Old weight files that the new ones replace are removed.

        Args:
            save_directory: The folder, made if missing.
            is_main_process: False on all but one process of a distributed run: only the main one writes.
            state_dict: What to save instead of `self.state_dict()`.
            save_function: Writes a `.bin`, called with the tensors and a path.
            push_to_hub: Also uploads the folder's new files; `repo_id`, `commit_message`, `private`... go to `kwargs`.
            max_shard_size: Largest size of a weight file, in bytes or as `"5GB"`; larger models are split.
            safe_serialization: safetensors; False writes `.bin` with `save_function`.
            variant: Goes into the file names: `model.<variant>.safetensors`.
            token: Token of the Hub.
            save_peft_format: Names the weights of an adapter as PEFT does.

        Raises:
            OSError: The target is a file, or something cannot be written: the old checkpoint is intact.
        """
        from .utils.hub import _take_token

        token = _take_token(token, kwargs)
        if "save_config" in kwargs:
            warnings.warn("`save_config` is deprecated: use `is_main_process`.", FutureWarning, stacklevel=2)
            is_main_process = kwargs.pop("save_config")
        folder = Path(save_directory)
        if folder.exists() and not folder.is_dir():
            raise NotADirectoryError(f"Cannot save to {folder}: it is a file; expected a folder.")
        model: Any = unwrap_model(self)  # type: ignore[arg-type]
        adapter = getattr(model, "_hf_peft_config_loaded", False)
        if adapter:
            state = dict(state_dict or model._adapter_state(save_peft_format))
        else:
            state = state_to_save(model, state_dict)
        if safe_serialization:
            state = without_duplicates(state, () if adapter else model._tied_weights_keys or ())
        kind = WeightWriter.of_adapter if adapter else WeightWriter
        writer = kind(state, max_shard_size, safe_serialization, variant, save_function)
        if not is_main_process:
            self._take_part(writer, folder, save_function)
            return
        repo_id, before = self._prepare_upload(folder, token, kwargs) if push_to_hub else ("", {})
        stale = lambda written: writer.stale(committed_names(folder))
        with replace_files(folder, stale) as stage:
            model._save_configs(stage, adapter)
            writer.write(stage)
        logger.info(f"Saved {type(model).__name__} to {folder}")
        if push_to_hub:
            options = {name: kwargs[name] for name in ("commit_message", "create_pr") if name in kwargs}
            self._upload_modified_files(folder, repo_id, before, token=token, **options)  # type: ignore[attr-defined]

    def _save_configs(self, stage: Path, adapter: bool) -> None:
        model: Any = self
        if adapter:
            model.peft_config[model.active_adapters()[0]].save_pretrained(stage)
            return
        model.config.torch_dtype = str(get_parameter_dtype(model)).removeprefix("torch.")
        model.config.architectures = [type(model).__name__]
        if model._auto_class is not None:
            from .dynamic_module_utils import custom_object_save

            custom_object_save(self, stage, config=self.config)
        model.config.save_pretrained(stage)
        if model.can_generate():
            model.generation_config.save_pretrained(stage)

    def _adapter_state(self, peft_names: bool) -> dict[str, Tensor]:
        """The weights of the active adapter, under the names that PEFT gives them if asked."""
        model: Any = self
        active = model.active_adapters()
        if len(active) > 1:
            raise ValueError(
                f"Cannot save several active adapters at once ({', '.join(active)}): activate one of them."
            )
        logger.warning_once("The model has an adapter: only its weights are saved, not those of the base model.")
        prefix = "base_model.model." if peft_names else ""
        return {prefix + name: tensor for name, tensor in model.get_adapter_state_dict().items()}

    @staticmethod
    def _take_part(writer: WeightWriter, folder: Path, save_function: Callable[..., Any]) -> None:
        """Other processes write nothing, but a save function of their own may be one that all must call together."""
        if not writer.safe and save_function is not torch.save:
            for name, tensors in writer.shards.items():
                save_function(tensors, os.path.join(folder, name))

    def _prepare_upload(self, folder: Path, token: Any, kwargs: dict[str, Any]) -> tuple[str, dict[str, float]]:
        repo_id = kwargs.pop("repo_id", folder.name)
        private = kwargs.pop("private", None)
        repo_id = self._create_repo(repo_id, private=private, token=token)  # type: ignore[attr-defined]
        return repo_id, self._get_files_timestamps(folder)  # type: ignore[attr-defined]
