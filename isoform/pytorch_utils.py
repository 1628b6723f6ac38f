"""Small PyTorch helpers that model code and third-party code import: Conv1D, pruning, chunking, storage identity."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from packaging import version
from torch import Tensor, nn

ALL_LAYERNORM_LAYERS: list[type[nn.Module]] = [nn.LayerNorm]
"""Normalisation classes whose parameters an optimizer should not decay; models may append their own."""

parsed_torch_version_base = version.parse(version.parse(torch.__version__).base_version)

is_torch_greater_or_equal_than_2_1 = parsed_torch_version_base >= version.parse("2.1")
is_torch_greater_or_equal_than_2_0 = parsed_torch_version_base >= version.parse("2.0")
is_torch_greater_or_equal_than_1_13 = parsed_torch_version_base >= version.parse("1.13")
is_torch_greater_or_equal_than_1_12 = parsed_torch_version_base >= version.parse("1.12")
is_torch_greater_or_equal_than_1_11 = parsed_torch_version_base >= version.parse("1.11")
is_torch_greater_or_equal_than_1_10 = parsed_torch_version_base >= version.parse("1.10")
is_torch_less_than_1_11 = parsed_torch_version_base < version.parse("1.11")
is_torch_1_8_0 = parsed_torch_version_base == version.parse("1.8.0")


def softmax_backward_data(parent, grad_output: Tensor, output: Tensor, dim: int, self: Tensor) -> Tensor:
    """Gradient of softmax with respect to its input, for custom autograd functions.

    Args:
        parent: Unused; kept because callers pass the autograd function.
        grad_output: Gradient of the output.
        output: What softmax returned.
        dim: The dimension that softmax normalised.
        self: The input of softmax (its dtype is the dtype of the result).
    """
    return torch._softmax_backward_data(grad_output, output, dim, self.dtype)


class Conv1D(nn.Module):
    """A linear layer that stores its weight as (inputs, outputs), as GPT-2 checkpoints do.

    Args:
        nf: Number of output features.
        nx: Number of input features.

    Shapes: (..., nx) -> (..., nf).
    """

    def __init__(self, nf: int, nx: int) -> None:
        super().__init__()
        self.nf = nf
        self.weight = nn.Parameter(torch.empty(nx, nf))
        self.bias = nn.Parameter(torch.zeros(nf))
        nn.init.normal_(self.weight, std=0.02)

    def forward(self, x: Tensor) -> Tensor:
        # One fused call on the flattened rows: F.linear would need the transposed weight.
        return torch.addmm(self.bias, x.reshape(-1, x.shape[-1]), self.weight).view(*x.shape[:-1], self.nf)

    def extra_repr(self) -> str:
        return f"nf={self.nf}, nx={self.weight.shape[0]}"


def _keep(layer: nn.Linear | Conv1D, index: Tensor, dim: int, bias_dim: int) -> None:
    """Keeps the entries `index` of the weight along `dim`, and of the bias where `dim` is its dimension, in place."""
    index = index.to(layer.weight.device)
    trainable = layer.weight.requires_grad
    layer.weight = nn.Parameter(layer.weight.detach().index_select(dim, index).contiguous(), requires_grad=trainable)
    if layer.bias is not None and dim == bias_dim:
        trainable = layer.bias.requires_grad
        layer.bias = nn.Parameter(layer.bias.detach()[index].contiguous(), requires_grad=trainable)


def prune_linear_layer(layer: nn.Linear, index: torch.LongTensor, dim: int = 0) -> nn.Linear:
    """A new linear layer with only the entries `index` of dimension `dim` of the weight (0: outputs, 1: inputs)."""
    outputs, inputs = (len(index), layer.in_features) if dim == 0 else (layer.out_features, len(index))
    pruned = nn.Linear(inputs, outputs, bias=layer.bias is not None, device="meta")
    pruned.weight, pruned.bias = layer.weight, layer.bias
    _keep(pruned, index, dim, bias_dim=0)
    return pruned.train(layer.training).requires_grad_(True)


def prune_conv1d_layer(layer: Conv1D, index: torch.LongTensor, dim: int = 1) -> Conv1D:
    """A new `Conv1D` with only the entries `index` of dimension `dim` of the weight (1: outputs, 0: inputs)."""
    inputs, outputs = (layer.weight.shape[0], len(index)) if dim == 1 else (len(index), layer.weight.shape[1])
    with torch.device("meta"):
        pruned = Conv1D(outputs, inputs)
    pruned.weight, pruned.bias = layer.weight, layer.bias
    _keep(pruned, index, dim, bias_dim=1)
    return pruned.train(layer.training).requires_grad_(True)


def prune_layer(layer: nn.Linear | Conv1D, index: torch.LongTensor, dim: int | None = None) -> nn.Linear | Conv1D:
    """`prune_linear_layer` or `prune_conv1d_layer`; `dim` defaults to the outputs.

    Raises:
        ValueError: `layer` is of another class.
    """
    if isinstance(layer, nn.Linear):
        return prune_linear_layer(layer, index, dim=0 if dim is None else dim)
    if isinstance(layer, Conv1D):
        return prune_conv1d_layer(layer, index, dim=1 if dim is None else dim)
    raise ValueError(f"Cannot prune a layer of class {type(layer).__name__}: expected nn.Linear or Conv1D.")


def apply_chunking_to_forward(
    forward_fn: Callable[..., Tensor], chunk_size: int, chunk_dim: int, *input_tensors: Tensor
) -> Tensor:
    """Applies `forward_fn` to slices of `chunk_size` along `chunk_dim`, to bound the memory of wide feed-forwards.

    Args:
        forward_fn: Takes as many tensors as are given here; its result must not mix positions of `chunk_dim`.
        chunk_size: Length of a slice; 0 applies `forward_fn` once to the whole. So do traced graphs, of any length.
        chunk_dim: Dimension to slice.
        input_tensors: All of the same length along `chunk_dim`, a multiple of `chunk_size`.

    Raises:
        ValueError: No tensor, lengths differ, or the length is no multiple of `chunk_size`.
    """
    if not input_tensors:
        raise ValueError("apply_chunking_to_forward needs at least one input tensor.")
    if chunk_size <= 0 or torch.compiler.is_compiling():
        return forward_fn(*input_tensors)
    lengths = {tensor.shape[chunk_dim] for tensor in input_tensors}
    if len(lengths) > 1:
        raise ValueError(f"All inputs must have the same length along dimension {chunk_dim}; found {sorted(lengths)}.")
    length = lengths.pop()
    if length % chunk_size:
        raise ValueError(f"The length {length} of dimension {chunk_dim} must be a multiple of chunk_size={chunk_size}.")
    slices = zip(*(tensor.split(chunk_size, dim=chunk_dim) for tensor in input_tensors))
    return torch.cat([forward_fn(*parts) for parts in slices], dim=chunk_dim)


def find_pruneable_heads_and_indices(
    heads: Iterable[int], n_heads: int, head_size: int, already_pruned_heads: set[int]
) -> tuple[set[int], Tensor]:
    """Which heads are still to prune, and which features of the attention stay.

    Args:
        heads: Heads to prune, numbered as in the unpruned model.
        n_heads: Heads that the layer has now.
        head_size: Features per head.
        already_pruned_heads: Heads pruned before, numbered as in the unpruned model.

    Returns:
        The heads of `heads` that are not yet pruned, and the indices, of shape (features kept,), to keep.
    """
    remaining = set(heads) - already_pruned_heads
    keep = torch.ones(n_heads, head_size, dtype=torch.bool)
    for head in remaining:
        keep[head - sum(pruned < head for pruned in already_pruned_heads)] = False
    return remaining, keep.flatten().nonzero().flatten()


def meshgrid(*tensors: Tensor | list[Tensor], indexing: str | None = None) -> tuple[Tensor, ...]:
    """`torch.meshgrid`, under the name that older code imports."""
    return torch.meshgrid(*tensors, indexing=indexing)


def id_tensor_storage(tensor: Tensor) -> tuple[torch.device, int, int]:
    """What identifies the memory of a tensor: device, address of the storage, size of the storage in bytes.

    Two tensors that share storage have the same identity, whatever views they are. A tensor on the meta device has no
    storage: its identity is its own.
    """
    if tensor.device.type == "meta":
        return tensor.device, id(tensor), 0
    storage = tensor.untyped_storage()
    return tensor.device, storage.data_ptr(), storage.nbytes()
