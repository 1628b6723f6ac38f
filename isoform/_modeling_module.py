"""What every PyTorch model here can tell about itself: device, dtype, size and cost; and the masks it makes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any

import torch
from torch import Tensor, nn

from .utils import logging

logger = logging.get_logger(__name__)


def _tensors(module: nn.Module) -> Iterator[Tensor]:
    return chain(module.parameters(), module.buffers())


def get_parameter_device(parameter: nn.Module) -> torch.device:
    """The device of the first parameter of a module (or its first buffer; the CPU if it has neither)."""
    return next((tensor.device for tensor in _tensors(parameter)), torch.device("cpu"))


def get_first_parameter_dtype(parameter: nn.Module) -> torch.dtype:
    """The dtype of the first parameter of a module, floating or not (float32 if it has no tensor)."""
    return next((tensor.dtype for tensor in _tensors(parameter)), torch.float32)


def get_parameter_dtype(parameter: nn.Module) -> torch.dtype:
    """The dtype of the first floating parameter of a module, or else of a buffer, or else of its first tensor."""
    for tensor in _tensors(parameter):
        if tensor.is_floating_point():
            return tensor.dtype
    return get_first_parameter_dtype(parameter)


def get_state_dict_float_dtype(state_dict: Mapping[str, Tensor]) -> torch.dtype:
    """The first floating dtype of a state dict.

    Raises:
        ValueError: It has none.
    """
    for tensor in state_dict.values():
        if tensor.is_floating_point():
            return tensor.dtype
    raise ValueError("The state dict has no floating-point tensor.")


def get_state_dict_dtype(state_dict: Mapping[str, Tensor]) -> torch.dtype:
    """The first floating dtype of a state dict; without one, the dtype of its first tensor."""
    try:
        return get_state_dict_float_dtype(state_dict)
    except ValueError:
        return next(iter(state_dict.values())).dtype


def dtype_byte_size(dtype: torch.dtype) -> float:
    """Bytes that one element takes (1/8 for booleans, as they could be packed)."""
    return 1 / 8 if dtype is torch.bool else dtype.itemsize


class ModuleUtilsMixin:
    """Facts, masks and memory hooks of a model."""

    config: Any

    @property
    def device(self) -> torch.device:
        """The device of the model's first parameter."""
        return get_parameter_device(self)  # type: ignore[arg-type]

    @property
    def dtype(self) -> torch.dtype:
        """The dtype of the model's first floating parameter."""
        return get_parameter_dtype(self)  # type: ignore[arg-type]

    # Size and cost

    def num_parameters(self, only_trainable: bool = False, exclude_embeddings: bool = False) -> int:
        """Number of parameters; shared ones count once.

        Args:
            only_trainable: Count those that require gradients only.
            exclude_embeddings: Leave out the weights of `nn.Embedding` modules.
        """
        excluded: set[int] = set()
        if exclude_embeddings:
            modules = self.modules()  # type: ignore[attr-defined]
            excluded = {id(module.weight) for module in modules if isinstance(module, nn.Embedding)}
        counted = [
            parameter
            for parameter in self.parameters()  # type: ignore[attr-defined]
            if id(parameter) not in excluded and (parameter.requires_grad or not only_trainable)
        ]
        return sum(_logical_size(self, parameter) for parameter in counted)

    def estimate_tokens(self, input_dict: dict[str, Tensor | Any]) -> int:
        """Number of elements of the main input, an estimate of the tokens of a batch (0 with a warning if absent)."""
        name = self.main_input_name  # type: ignore[attr-defined]
        if name in input_dict:
            return input_dict[name].numel()
        logger.warning_once(f"The input has no `{name}`, so its tokens and floating-point operations are not counted.")
        return 0

    def floating_point_ops(self, input_dict: dict[str, Tensor | Any], exclude_embeddings: bool = True) -> int:
        """Estimated operations of one forward and backward pass: 6 per token and parameter (Kaplan et al., 2020).

        Quadratic attention cost is left out: it is small while the sequence is shorter than 12 times the hidden size.
        """
        return 6 * self.estimate_tokens(input_dict) * self.num_parameters(exclude_embeddings=exclude_embeddings)

    # Masks

    def invert_attention_mask(self, encoder_attention_mask: Tensor) -> Tensor:
        """An additive mask, 0 where the given mask is 1 and the dtype's minimum where it is 0.

        Args:
            encoder_attention_mask: (batch, keys) or (batch, queries, keys).

        Returns:
            (batch, 1, 1 or queries, keys) in the model's dtype.
        """
        mask = _four_dimensional(encoder_attention_mask, "encoder_attention_mask").to(self.dtype)
        return (1.0 - mask) * torch.finfo(self.dtype).min

    @staticmethod
    def create_extended_attention_mask_for_decoder(
        input_shape: tuple[int, int], attention_mask: Tensor, device: torch.device | None = None
    ) -> Tensor:
        """Combines a padding mask with causality.

        Args:
            input_shape: (batch, queries) of the new tokens.
            attention_mask: (batch, keys): keys may be more than queries, when earlier ones are cached.
            device: Deprecated: the mask's device is used.

        Returns:
            (batch, 1, queries, keys), 1 where a query may attend.
        """
        queries, keys = input_shape[1], attention_mask.shape[1]
        rows = torch.arange(keys - queries, keys, device=attention_mask.device)
        causal = torch.arange(keys, device=attention_mask.device)[None, :] <= rows[:, None]
        return causal.to(attention_mask.dtype)[None, None] * attention_mask[:, None, None, :]

    def get_extended_attention_mask(
        self,
        attention_mask: Tensor,
        input_shape: tuple[int, ...],
        device: torch.device | None = None,
        dtype: torch.dtype | None = None,
    ) -> Tensor:
        """An additive mask that broadcasts over heads and, for decoders, also hides later positions.

        Args:
            attention_mask: (batch, keys) or (batch, queries, keys), 1 for what may be attended.
            input_shape: (batch, queries).
            device: Deprecated: the mask's device is used.
            dtype: Of the result; the model's by default.

        Raises:
            ValueError: The mask has neither two nor three dimensions.
        """
        dtype = self.dtype if dtype is None else dtype
        if attention_mask.dim() == 2 and getattr(self.config, "is_decoder", False):
            mask = self.create_extended_attention_mask_for_decoder(input_shape, attention_mask)  # type: ignore[arg-type]
        else:
            mask = _four_dimensional(attention_mask, "attention_mask")
        return (1.0 - mask.to(dtype)) * torch.finfo(dtype).min

    def get_head_mask(
        self, head_mask: Tensor | None, num_hidden_layers: int, is_attention_chunked: bool = False
    ) -> Tensor | list[None]:
        """The head mask for each layer.

        Args:
            head_mask: (heads,) or (layers, heads), 1 to keep a head; None keeps all.
            num_hidden_layers: Number of layers.
            is_attention_chunked: Adds a last dimension, for attention computed in chunks.

        Returns:
            (layers, batch 1, heads, 1, 1), or a list of None.
        """
        if head_mask is None:
            return [None] * num_hidden_layers
        mask = self._convert_head_mask_to_5d(head_mask, num_hidden_layers)
        return mask.unsqueeze(-1) if is_attention_chunked else mask

    def _convert_head_mask_to_5d(self, head_mask: Tensor, num_hidden_layers: int) -> Tensor:
        if head_mask.dim() == 1:
            head_mask = head_mask.expand(num_hidden_layers, -1)
        if head_mask.dim() != 2:
            raise ValueError(f"head_mask must be (heads,) or (layers, heads); found {head_mask.dim()} dimensions.")
        return head_mask[:, None, :, None, None].to(self.dtype)

    # Memory

    def add_memory_hooks(self) -> None:
        """Records in each submodule the growth of the process's memory in its forward passes.

        After a pass, `module.mem_rss_diff` is the growth in bytes, `mem_rss_pre_forward` and `mem_rss_post_forward` the
        last readings. Needs psutil.
        """
        for module in self.modules():  # type: ignore[attr-defined]
            module.register_forward_pre_hook(self._hook_rss_memory_pre_forward)
            module.register_forward_hook(self._hook_rss_memory_post_forward)
        self.reset_memory_hooks_state()

    def reset_memory_hooks_state(self) -> None:
        """Sets the counters of `add_memory_hooks` back to zero."""
        for module in self.modules():  # type: ignore[attr-defined]
            module.mem_rss_diff = module.mem_rss_pre_forward = module.mem_rss_post_forward = 0

    @staticmethod
    def _hook_rss_memory_pre_forward(module: Any, *args: Any, **kwargs: Any) -> None:
        module.mem_rss_pre_forward = _resident_bytes()

    @staticmethod
    def _hook_rss_memory_post_forward(module: Any, *args: Any, **kwargs: Any) -> None:
        module.mem_rss_post_forward = _resident_bytes()
        module.mem_rss_diff += module.mem_rss_post_forward - module.mem_rss_pre_forward


def _logical_size(model: Any, parameter: Tensor) -> int:
    """Elements of a parameter; bitsandbytes packs two 4-bit weights into one byte."""
    packed = getattr(model, "is_loaded_in_4bit", False) and type(parameter).__name__ == "Params4bit"
    return parameter.numel() * (2 if packed else 1)


def _four_dimensional(mask: Tensor, name: str) -> Tensor:
    if mask.dim() == 3:
        return mask[:, None]
    if mask.dim() == 2:
        return mask[:, None, None]
    raise ValueError(f"{name} must be (batch, keys) or (batch, queries, keys); found the shape {tuple(mask.shape)}.")


def _resident_bytes() -> int:
    try:
        import psutil
    except ImportError as error:
        raise ImportError("add_memory_hooks needs psutil: pip install psutil") from error
    return psutil.Process().memory_info().rss
