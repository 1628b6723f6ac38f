"""Adapters of languages: small files that turn a multilingual model into that of one language (Pratap et al. 2023)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from ..._modeling_init import construction
from ...errors import CheckpointError
from ...utils import logging
from ...utils.hub import cached_file

if TYPE_CHECKING:
    from ...modeling_utils import PreTrainedModel as Base
else:
    Base = object

logger = logging.get_logger(__name__)

_SAFE_FILE = "adapter.{}.safetensors"
_BIN_FILE = "adapter.{}.bin"


class LanguageAdapters(Base):
    """Loading of adapters, for models whose layers have an `adapter_layer`."""

    target_lang: str | None

    def _get_adapters(self) -> dict[str, nn.Parameter]:
        """The weights that are special to a language: those of the adapters, and the projection to the vocabulary.

        Raises:
            ValueError: the model has none.
        """
        if getattr(self.config, "adapter_attn_dim", None) is None:
            raise ValueError(f"{type(self).__name__} has no adapter layers: config.adapter_attn_dim is None")
        marks = (".adapter_layer.", "lm_head.")
        return {name: p for name, p in self.named_parameters() if marks[0] in f".{name}" or name.startswith(marks[1])}

    def init_adapter_layers(self) -> None:
        """Give the adapters, and the projection to the vocabulary, new random weights."""
        for name, module in self.named_modules():
            if name.endswith("adapter_layer") or name == "lm_head":
                for part in module.modules():
                    self._init_weights(part)

    def load_adapter(  # type: ignore[override]  # the documented name, for another kind of adapter
        self, target_lang: str, force_load: bool = True, **kwargs: Any
    ) -> None:
        """Load the adapter of a language, `adapter.<language>.safetensors` (or `.bin`) beside the model.

        Args:
            target_lang: The language's code, as in the names of the files.
            force_load: Load it even if it is the one that is loaded.
            kwargs: `cache_dir`, `force_download`, `local_files_only`, `token`, `revision`, and `use_safetensors`: True
                for that file only, False for the `.bin` only.

        Raises:
            ValueError: the model has no adapters.
            OSError: there is no such file, or it does not fit the model.
        """
        if "adapter_name" in kwargs:  # of the package `peft`
            return super().load_adapter(target_lang, **kwargs)
        expected = self._get_adapters()
        if target_lang == self.__dict__.get("target_lang") and not force_load:
            logger.warning(f"The adapter of {target_lang} is loaded already.")
            return None
        path, weights = self._adapter_weights(target_lang, kwargs)
        unexpected, missing = sorted(weights.keys() - expected.keys()), sorted(expected.keys() - weights.keys())
        if unexpected or missing:
            raise CheckpointError(
                f"{path} does not fit the model: missing are {missing or 'none'}, unexpected {unexpected or 'none'}"
            )
        head = weights.get("lm_head.weight")
        if head is not None and head.shape[0] != self.config.vocab_size:
            old = self.lm_head.weight
            self.lm_head = nn.Linear(old.shape[1], head.shape[0], device=old.device, dtype=old.dtype)
            self.config.vocab_size = head.shape[0]
            expected = self._get_adapters()
        for name, parameter in expected.items():
            if weights[name].shape != parameter.shape:
                raise CheckpointError(
                    f"{path}: {name} has the shape {tuple(weights[name].shape)}, expected {tuple(parameter.shape)}"
                )
            parameter.data.copy_(weights[name])
        self.target_lang = target_lang
        return None

    def _adapter_weights(self, language: str, options: dict[str, Any]) -> tuple[str, dict[str, Tensor]]:
        """Path and contents of the file."""
        options = dict(options)
        old = options.pop("use_auth_token", None)
        if old is not None:
            options.setdefault("token", old)
        safe = options.pop("use_safetensors", None)
        folder = self.config._name_or_path
        if safe is not False:
            path = cached_file(
                folder, _SAFE_FILE.format(language), _raise_exceptions_for_missing_entries=bool(safe), **options
            )
            if path is not None:
                from safetensors.torch import load_file

                try:
                    return path, load_file(path)
                except Exception as error:
                    raise CheckpointError(f"{path} cannot be read, is it truncated? ({error})") from error
        path = cached_file(folder, _BIN_FILE.format(language), **options)
        assert path is not None  # cached_file raises unless told otherwise
        return path, torch.load(path, map_location="cpu", weights_only=True)

    def _load_target_language(self, hub: dict[str, Any]) -> None:
        """Load the adapter that the constructor was asked for, once the weights of the model are there."""
        if self.__dict__.get("target_lang") is None or construction.skip_init or construction.depth:
            return
        self.load_adapter(str(self.target_lang), force_load=True, **hub)

    def _after_loading(self, **hub: Any) -> None:
        self._load_target_language(hub)
