"""`PreTrainedModel`, the base class of every PyTorch model: it builds, loads, saves, resizes, ties and prunes."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from ._modeling_embeddings import EmbeddingMixin
from ._modeling_init import ModelMeta, construction, default_init_weights, init_weights, no_init_weights
from ._modeling_loading import LoadingMixin
from ._modeling_module import (
    ModuleUtilsMixin,
    dtype_byte_size,
    get_first_parameter_dtype,
    get_parameter_device,
    get_parameter_dtype,
    get_state_dict_dtype,
    get_state_dict_float_dtype,
)
from ._modeling_saving import SavingMixin, unwrap_model
from ._modeling_summary import (
    PoolerAnswerClass,
    PoolerEndLogits,
    PoolerStartLogits,
    SequenceSummary,
    SQuADHead,
    SquadHeadOutput,
)
from .checkpoints.files import add_variant as _add_variant  # noqa: F401
from .checkpoints.read import load_state_dict
from .checkpoints.shards import load_sharded_checkpoint, shard_checkpoint
from .configuration_utils import PretrainedConfig
from .generation import GenerationMixin
from .integrations.peft import PeftAdapterMixin
from .pytorch_utils import (
    Conv1D,
    apply_chunking_to_forward,
    find_pruneable_heads_and_indices,
    id_tensor_storage,
    prune_conv1d_layer,
    prune_layer,
    prune_linear_layer,
)
from .utils import logging
from .utils.constants import (  # noqa: F401 (4.36 code imports the file names from here, too)
    CONFIG_NAME,
    DUMMY_INPUTS,
    SAFE_WEIGHTS_INDEX_NAME,
    SAFE_WEIGHTS_NAME,
    WEIGHTS_INDEX_NAME,
    WEIGHTS_NAME,
)
from .utils.hub import PushToHubMixin
from .utils.import_utils import ENV_VARS_TRUE_VALUES

__all__ = [
    "Conv1D",
    "ModuleUtilsMixin",
    "PoolerAnswerClass",
    "PoolerEndLogits",
    "PoolerStartLogits",
    "PreTrainedModel",
    "SQuADHead",
    "SequenceSummary",
    "SquadHeadOutput",
    "apply_chunking_to_forward",
    "dtype_byte_size",
    "find_pruneable_heads_and_indices",
    "get_first_parameter_dtype",
    "get_parameter_device",
    "get_parameter_dtype",
    "get_state_dict_dtype",
    "get_state_dict_float_dtype",
    "id_tensor_storage",
    "load_sharded_checkpoint",
    "load_state_dict",
    "no_init_weights",
    "prune_conv1d_layer",
    "prune_layer",
    "prune_linear_layer",
    "shard_checkpoint",
    "unwrap_model",
]

logger = logging.get_logger(__name__)


class PreTrainedModel(
    EmbeddingMixin,
    LoadingMixin,
    SavingMixin,
    nn.Module,
    ModuleUtilsMixin,
    GenerationMixin,
    PushToHubMixin,
    PeftAdapterMixin,
    metaclass=ModelMeta,
):
    """Base class of all models: it holds the configuration and loads, saves, resizes, ties and prunes.

    Class attributes that an architecture sets:
        config_class: Class of its configuration.
        base_model_prefix: Attribute under which heads hold the body, and its prefix in checkpoints.
        main_input_name: Name of the principal input of `forward`.
        input_embeddings, output_embeddings: Dotted paths of the vocabulary matrices in the body and in the head.
        ignored_checkpoint_keys: Patterns of checkpoint keys that are dropped without a word.
    """

    config_class: type | None = None
    base_model_prefix = ""
    main_input_name = "input_ids"
    ignored_checkpoint_keys: tuple[str, ...] = ()

    _auto_class: str | None = None
    _no_split_modules: list[str] | None = None
    _skip_keys_device_placement: list[str] | str | None = "past_key_values"
    _keep_in_fp32_modules: list[str] | None = None
    _keys_to_ignore_on_load_missing: list[str] | None = None
    _keys_to_ignore_on_load_unexpected: list[str] | None = None
    _keys_to_ignore_on_save: list[str] | None = None
    is_parallelizable = False
    supports_gradient_checkpointing = True
    _supports_flash_attn_2 = True
    _supports_sdpa = True
    _supports_cache_class = True

    gradient_checkpointing = False
    _gradient_checkpointing_func: Callable[..., Any] = staticmethod(torch.utils.checkpoint.checkpoint)

    def __init__(self, config: Any, *inputs: Any, **kwargs: Any) -> None:
        super().__init__()
        if not isinstance(config, PretrainedConfig):
            raise ValueError(
                f"{type(self).__name__} expects a configuration (an instance of PretrainedConfig); found"
                f" {type(config).__name__}. To load a checkpoint use {type(self).__name__}.from_pretrained(name)."
            )
        self.config = config
        self.name_or_path = config.name_or_path
        self.warnings_issued: dict[str, bool] = {}

    def post_init(self) -> None:
        """Initialises and ties the weights. It runs by itself after the constructor; a further call changes nothing."""
        if construction.depth > 1:
            return  # a part of a larger model, which will do it
        self.init_weights()
        if getattr(self.config, "gradient_checkpointing", False) and self.supports_gradient_checkpointing:
            # Old configs ask for it; it is a choice of the run, not of the model, so it is not kept.
            self.gradient_checkpointing_enable()
            delattr(self.config, "gradient_checkpointing")

    def init_weights(self) -> None:
        """Prunes the heads that the config names, initialises what is not yet initialised, and ties weights."""
        if getattr(self.config, "pruned_heads", None):
            self.prune_heads(self.config.pruned_heads)
        if not construction.skip_init:
            init_weights(self)
            self.tie_weights()

    def _init_weights(self, module: nn.Module) -> None:
        """Initialises one module. Architectures override this where they deviate."""
        default_init_weights(module, getattr(self.config, "initializer_range", 0.02))

    @property
    def base_model(self) -> nn.Module:
        """The body: what `base_model_prefix` names, or the model itself."""
        return getattr(self, self.base_model_prefix, self) if self.base_model_prefix else self  # type: ignore[return-value]

    @property
    def framework(self) -> str:
        """`"pt"`."""
        return "pt"

    @property
    def dummy_inputs(self) -> dict[str, Tensor]:
        """A small batch of token ids, for tracing."""
        return {"input_ids": torch.tensor(DUMMY_INPUTS)}

    @property
    def generation_config(self) -> Any:
        """The defaults of `generate`, derived from the config until set or loaded; None if it cannot generate."""
        if "_generation_config" not in self.__dict__:
            from .generation import GenerationConfig

            made = GenerationConfig.from_model_config(self.config) if self.can_generate() else None
            self.__dict__["_generation_config"] = made
        return self.__dict__["_generation_config"]

    @generation_config.setter
    def generation_config(self, value: Any) -> None:
        self.__dict__["_generation_config"] = value

    @classmethod
    def can_generate(cls) -> bool:
        """Whether the class defines how to prepare the inputs of a decoding step, so that `generate` works."""
        base = getattr(GenerationMixin, "prepare_inputs_for_generation", None)
        return getattr(cls, "prepare_inputs_for_generation", None) is not base

    # Pruning and gradient checkpointing

    def prune_heads(self, heads_to_prune: dict[int, list[int]]) -> None:
        """Removes attention heads: `{layer: [heads]}`, numbered as in the unpruned model. The config remembers them."""
        for layer, heads in heads_to_prune.items():
            known = self.config.pruned_heads.get(layer, ())
            self.config.pruned_heads[layer] = sorted(set(known) | set(heads))
        self.base_model._prune_heads(heads_to_prune)  # type: ignore[operator]

    def gradient_checkpointing_enable(self, gradient_checkpointing_kwargs: dict[str, Any] | None = None) -> None:
        """Recomputes activations in the backward pass instead of keeping them: less memory, more time.

        Args:
            gradient_checkpointing_kwargs: Passed to `torch.utils.checkpoint.checkpoint`; `use_reentrant` is False
            unless
                given, which also works when the inputs need no gradient.

        Raises:
            ValueError: The architecture does not support it.
        """
        if not self.supports_gradient_checkpointing:
            raise ValueError(f"{type(self).__name__} does not support gradient checkpointing.")
        options = {"use_reentrant": False, **(gradient_checkpointing_kwargs or {})}
        self._set_gradient_checkpointing(True, functools.partial(torch.utils.checkpoint.checkpoint, **options))
        if getattr(self, "_hf_peft_config_loaded", False):
            self.enable_input_require_grads()

    def gradient_checkpointing_disable(self) -> None:
        """Keeps activations again."""
        self._set_gradient_checkpointing(False)
        if getattr(self, "_hf_peft_config_loaded", False):
            self.disable_input_require_grads()

    def _set_gradient_checkpointing(
        self, enable: bool = True, gradient_checkpointing_func: Callable[..., Any] = torch.utils.checkpoint.checkpoint
    ) -> None:
        for module in self.modules():
            if hasattr(module, "gradient_checkpointing"):
                module.gradient_checkpointing = enable  # type: ignore[assignment]
                module._gradient_checkpointing_func = gradient_checkpointing_func  # type: ignore[assignment]

    @property
    def is_gradient_checkpointing(self) -> bool:
        """Whether any module recomputes its activations."""
        return any(getattr(module, "gradient_checkpointing", False) for module in self.modules())

    def enable_input_require_grads(self) -> None:
        """Makes the embedded inputs require gradients, so that adapters train although the embedding is frozen."""
        self.disable_input_require_grads()
        hook = self.get_input_embeddings().register_forward_hook(
            lambda module, args, output: output.requires_grad_(True)
        )
        self._require_grads_hook = hook

    def disable_input_require_grads(self) -> None:
        """Undoes `enable_input_require_grads`."""
        hook = self.__dict__.pop("_require_grads_hook", None)
        if hook is not None:
            hook.remove()

    # Size, placement, warnings

    def get_memory_footprint(self, return_buffers: bool = True) -> int:
        """Bytes that the parameters take, and the buffers unless `return_buffers=False`."""
        tensors = list(self.parameters()) + (list(self.buffers()) if return_buffers else [])
        return sum(tensor.nelement() * tensor.element_size() for tensor in tensors)

    def _refuse_if_quantized(self, action: str) -> None:
        for flag in ("is_quantized", "is_loaded_in_8bit", "is_loaded_in_4bit"):
            if getattr(self, flag, False):
                raise ValueError(
                    f"{action} is not supported for quantized models: they have their device and dtype already."
                )

    def to(self, *args: Any, **kwargs: Any) -> PreTrainedModel:
        """`torch.nn.Module.to`; quantized models refuse."""
        self._refuse_if_quantized("`.to`")
        return super().to(*args, **kwargs)

    def cuda(self, *args: Any, **kwargs: Any) -> PreTrainedModel:
        """`torch.nn.Module.cuda`; quantized models refuse."""
        self._refuse_if_quantized("`.cuda`")
        return super().cuda(*args, **kwargs)

    def half(self, *args: Any) -> PreTrainedModel:
        """`torch.nn.Module.half`; quantized models refuse."""
        self._refuse_if_quantized("`.half()`")
        return super().half(*args)

    def float(self, *args: Any) -> PreTrainedModel:
        """`torch.nn.Module.float`; quantized models refuse."""
        self._refuse_if_quantized("`.float()`")
        return super().float(*args)

    def warn_if_padding_and_no_attention_mask(self, input_ids: Tensor, attention_mask: Tensor | None) -> None:
        """Warns, once, where inputs begin or end with the padding token but come without an attention mask.

        Args:
            input_ids: (batch, sequence).
            attention_mask: If given, there is nothing to warn of.
        """
        pad = self.config.pad_token_id
        if (
            attention_mask is not None
            or pad is None
            or torch.compiler.is_compiling()
            or "padding" in self.warnings_issued
        ):
            return
        if pad not in input_ids[:, [-1, 0]]:
            return
        self.warnings_issued["padding"] = True
        text = "The input contains the padding token but no `attention_mask`: results may be wrong. Pass the mask."
        specials = [getattr(self.config, f"{name}_token_id", None) for name in ("bos", "eos", "sep")]
        if pad in specials:
            text += (
                f" (The padding token {pad} is also one of the tokens bos, eos, sep: that it is padding is a guess.)"
            )
        logger.warning_once(text)

    # What lives elsewhere or no longer

    @classmethod
    def register_for_auto_class(cls, auto_class: str | type = "AutoModel") -> None:
        """Marks a class of one's own so that `save_pretrained` stores its code, for `AutoModel` to find.

        Args:
            auto_class: The auto class, or its name.

        Raises:
            ValueError: There is no such auto class.
        """
        from .models import auto

        name = auto_class if isinstance(auto_class, str) else auto_class.__name__
        if not hasattr(auto, name):
            raise ValueError(f"{name} is not a valid auto class: expected AutoModel, AutoModelForCausalLM or the like.")
        cls._auto_class = name

    def to_bettertransformer(self) -> PreTrainedModel:
        """Removed: fused attention is the default here (`attn_implementation="sdpa"`)."""
        raise NotImplementedError(
            "to_bettertransformer is not needed: models use fused attention already (`attn_implementation='sdpa'`)."
        )

    def reverse_bettertransformer(self) -> PreTrainedModel:
        """Removed, as `to_bettertransformer` is."""
        raise NotImplementedError("reverse_bettertransformer is not needed: there is no to_bettertransformer.")


def is_fsdp_enabled() -> bool:
    """Whether this is a process of a distributed run whose launcher asked for FSDP with economical loading."""
    asked = (os.environ.get(name, "").upper() for name in ("ACCELERATE_USE_FSDP", "FSDP_CPU_RAM_EFFICIENT_LOADING"))
    return _is_distributed() and all(value in ENV_VARS_TRUE_VALUES for value in asked)


def is_local_dist_rank_0() -> bool:
    """Whether this is the first process of a distributed run on its machine."""
    return _is_distributed() and int(os.environ.get("LOCAL_RANK", "-1")) == 0


def _is_distributed() -> bool:
    return torch.distributed.is_available() and torch.distributed.is_initialized()
