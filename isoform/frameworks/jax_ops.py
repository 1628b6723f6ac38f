"""ATen operators in JAX: the table by which `graph.evaluate` runs a model's graph on JAX arrays.

Sizes are Python numbers while JAX traces, so a function may look at shapes freely, and never at values. Types follow
torch's rules: numbers do not widen arrays, and integers that become fractions become float32. JAX without
`jax_enable_x64` has no 64-bit types; ids and positions are then 32 bits wide.
"""

from __future__ import annotations

import builtins
import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import torch
from jax import Array, lax

aten = torch.ops.aten

OPERATORS: dict[Any, Callable[..., Any]] = {}

_DTYPES = {
    torch.float32: jnp.float32,
    torch.float64: jnp.float64,
    torch.float16: jnp.float16,
    torch.bfloat16: jnp.bfloat16,
    torch.int64: jnp.int64,
    torch.int32: jnp.int32,
    torch.int16: jnp.int16,
    torch.int8: jnp.int8,
    torch.uint8: jnp.uint8,
    torch.bool: jnp.bool_,
    torch.complex64: jnp.complex64,
}


def to_dtype(dtype: torch.dtype) -> Any:
    """JAX's name of a type, narrowed where 64-bit types are disabled."""
    return jax.dtypes.canonicalize_dtype(_DTYPES[dtype])


def cast(x: Array, dtype: torch.dtype) -> Array:
    """`x` in JAX's form of the type."""
    wanted = to_dtype(dtype)
    return x if x.dtype == wanted else x.astype(wanted)


def of(*operators: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Enter a function into the table."""

    def enter(function: Callable[..., Any]) -> Callable[..., Any]:
        for op in operators:
            OPERATORS[op] = function
        return function

    return enter


def _is_integer(x: Any) -> bool:
    dtype = jnp.result_type(x)
    return jnp.issubdtype(dtype, jnp.integer) or dtype == jnp.bool_


def _floating(x: Array) -> Array:
    return x.astype(jnp.float32) if _is_integer(x) else x


def _dims(dim: Any, rank: int) -> tuple[int, ...] | None:
    """Axes as non-negative numbers; None for all."""
    if dim is None or (isinstance(dim, Sequence) and not dim):
        return None
    return tuple(d % max(rank, 1) for d in ([dim] if isinstance(dim, int) else dim))


# Elementwise

for _op, _function in {
    aten.neg.default: jnp.negative,
    aten.abs.default: jnp.abs,
    aten.exp.default: jnp.exp,
    aten.expm1.default: jnp.expm1,
    aten.log.default: jnp.log,
    aten.log2.default: jnp.log2,
    aten.log10.default: jnp.log10,
    aten.log1p.default: jnp.log1p,
    aten.sin.default: jnp.sin,
    aten.cos.default: jnp.cos,
    aten.tan.default: jnp.tan,
    aten.atan.default: jnp.arctan,
    aten.tanh.default: jnp.tanh,
    aten.sigmoid.default: jax.nn.sigmoid,
    aten.relu.default: jax.nn.relu,
    aten.silu.default: jax.nn.silu,
    aten.erf.default: lax.erf,
    aten.sqrt.default: jnp.sqrt,
    aten.rsqrt.default: lax.rsqrt,
    aten.reciprocal.default: jnp.reciprocal,
    aten.sign.default: jnp.sign,
    aten.sgn.default: jnp.sign,
    aten.floor.default: jnp.floor,
    aten.ceil.default: jnp.ceil,
    aten.round.default: jnp.round,
    aten.trunc.default: jnp.trunc,
}.items():
    OPERATORS[_op] = functools.partial(lambda function, x: function(_floating(x)), _function)
for _op in (aten.neg.default, aten.abs.default, aten.sign.default, aten.relu.default, aten.sgn.default):
    OPERATORS[_op] = OPERATORS[_op].args[0]  # type: ignore[attr-defined]  # these keep integers
OPERATORS |= {
    aten.logical_not.default: jnp.logical_not,
    aten.logical_and.default: jnp.logical_and,
    aten.logical_or.default: jnp.logical_or,
    aten.logical_xor.default: jnp.logical_xor,
    aten.bitwise_and.Tensor: jnp.bitwise_and,
    aten.bitwise_and.Scalar: jnp.bitwise_and,
    aten.bitwise_or.Tensor: jnp.bitwise_or,
    aten.bitwise_or.Scalar: jnp.bitwise_or,
    aten.bitwise_xor.Tensor: jnp.bitwise_xor,
    aten.bitwise_not.default: jnp.bitwise_not,
    aten.isnan.default: jnp.isnan,
    aten.isinf.default: jnp.isinf,
    aten.isfinite.default: jnp.isfinite,
    aten.maximum.default: jnp.maximum,
    aten.minimum.default: jnp.minimum,
    aten.atan2.default: jnp.arctan2,
    aten.mul.Tensor: jnp.multiply,
    aten.mul.Scalar: jnp.multiply,
    aten.pow.Tensor_Tensor: jnp.power,
    aten.pow.Scalar: jnp.power,
    aten.fmod.Scalar: jnp.fmod,
    aten.fmod.Tensor: jnp.fmod,
    aten.remainder.Scalar: jnp.remainder,
    aten.remainder.Tensor: jnp.remainder,
}
for _name, _function in {
    "eq": jnp.equal,
    "ne": jnp.not_equal,
    "lt": jnp.less,
    "le": jnp.less_equal,
    "gt": jnp.greater,
    "ge": jnp.greater_equal,
}.items():
    for _kind in ("Scalar", "Tensor"):
        OPERATORS[getattr(getattr(aten, _name), _kind)] = _function


@of(aten.pow.Tensor_Scalar)
def _pow(x: Array, exponent: float) -> Array:
    if exponent == 2:
        return x * x
    if exponent == 0.5:
        return jnp.sqrt(x)
    return jnp.power(x, exponent)


@of(aten.add.Tensor, aten.add.Scalar)
def _add(x: Any, y: Any, alpha: Any = 1) -> Array:
    return jnp.add(x, y if alpha == 1 else y * alpha)


@of(aten.sub.Tensor, aten.sub.Scalar)
def _sub(x: Any, y: Any, alpha: Any = 1) -> Array:
    return jnp.subtract(x, y if alpha == 1 else y * alpha)


@of(aten.rsub.Scalar, aten.rsub.Tensor)
def _rsub(x: Any, y: Any, alpha: Any = 1) -> Array:
    return jnp.subtract(y, x if alpha == 1 else x * alpha)


@of(aten.div.Tensor, aten.div.Scalar)
def _div(x: Any, y: Any) -> Array:
    return jnp.divide(x, y)


@of(aten.div.Tensor_mode, aten.div.Scalar_mode)
def _div_rounded(x: Any, y: Any, rounding_mode: str | None = None) -> Array:
    if rounding_mode == "floor":
        return jnp.floor_divide(x, y)
    if rounding_mode == "trunc" and _is_integer(x) and _is_integer(y):
        return jnp.sign(x) * jnp.sign(y) * (jnp.abs(x) // jnp.abs(y))
    if rounding_mode == "trunc":
        return jnp.trunc(jnp.divide(x, y))
    return jnp.divide(x, y)


@of(aten.gelu.default)
def _gelu(x: Array, approximate: str = "none") -> Array:
    return jax.nn.gelu(x, approximate=approximate == "tanh")


@of(aten.leaky_relu.default)
def _leaky_relu(x: Array, slope: float = 0.01) -> Array:
    return jax.nn.leaky_relu(x, slope)


@of(aten.elu.default)
def _elu(x: Array, alpha: float = 1.0, scale: float = 1.0, input_scale: float = 1.0) -> Array:
    return jnp.where(x > 0, scale * x, scale * alpha * jnp.expm1(x * input_scale))


@of(aten.hardtanh.default)
def _hardtanh(x: Array, low: float = -1.0, high: float = 1.0) -> Array:
    return jnp.clip(x, low, high)


@of(aten.softplus.default)
def _softplus(x: Array, beta: float = 1.0, threshold: float = 20.0) -> Array:
    return jnp.where(x * beta > threshold, x, jax.nn.softplus(x * beta) / beta)


@of(aten.clamp.default, aten.clamp.Tensor)
def _clamp(x: Array, low: Any = None, high: Any = None) -> Array:
    return jnp.clip(x, low, high)


@of(aten.clamp_min.default)
def _clamp_min(x: Array, low: Any) -> Array:
    return jnp.maximum(x, low)


@of(aten.where.self, aten.where.ScalarOther, aten.where.ScalarSelf, aten.where.Scalar)
def _where(condition: Array, x: Any, y: Any) -> Array:
    return jnp.where(condition, x, y)


@of(aten.masked_fill.Scalar, aten.masked_fill.Tensor)
def _masked_fill(x: Array, mask: Array, value: Any) -> Array:
    return jnp.where(mask, jnp.asarray(value, x.dtype), x)


@of(aten._to_copy.default)
def _to_copy(x: Array, dtype: torch.dtype | None = None, **kwargs: Any) -> Array:
    return x if dtype is None else x.astype(to_dtype(dtype))


@of(aten.clone.default, aten.alias.default, aten.lift_fresh_copy.default, aten.contiguous.default)
def _same(x: Array, **kwargs: Any) -> Array:
    return x


OPERATORS[aten.detach.default] = lax.stop_gradient


# Making


def _shape(size: Sequence[Any]) -> tuple[int, ...]:
    return tuple(int(s) for s in size)


def _default(value: Any) -> torch.dtype:
    return torch.bool if isinstance(value, bool) else torch.int64 if isinstance(value, int) else torch.float32


@of(aten.full.default)
def _full(size: Sequence[Any], value: Any, dtype: torch.dtype | None = None, **kwargs: Any) -> Array:
    return jnp.full(_shape(size), value, to_dtype(dtype or _default(value)))


@of(aten.full_like.default)
def _full_like(x: Array, value: Any, dtype: torch.dtype | None = None, **kwargs: Any) -> Array:
    return jnp.full(x.shape, value, x.dtype if dtype is None else to_dtype(dtype))


@of(aten.scalar_tensor.default)
def _scalar_tensor(value: Any, dtype: torch.dtype | None = None, **kwargs: Any) -> Array:
    return jnp.asarray(value, to_dtype(dtype or torch.float32))


@of(aten.zeros_like.default)
def _zeros_like(x: Array, dtype: torch.dtype | None = None, **kwargs: Any) -> Array:
    return jnp.zeros(x.shape, x.dtype if dtype is None else to_dtype(dtype))


@of(aten.ones_like.default)
def _ones_like(x: Array, dtype: torch.dtype | None = None, **kwargs: Any) -> Array:
    return jnp.ones(x.shape, x.dtype if dtype is None else to_dtype(dtype))


@of(aten.empty.memory_format, aten.new_empty.default, aten.empty_like.default)
def _empty(x: Any, *args: Any, dtype: torch.dtype | None = None, **kwargs: Any) -> Array:
    if isinstance(x, (list, tuple)):
        return jnp.zeros(_shape(x), to_dtype(dtype or torch.float32))
    return jnp.zeros(_shape(args[0]) if args else x.shape, x.dtype if dtype is None else to_dtype(dtype))


@of(aten.arange.start_step)
def _arange(start: Any, end: Any, step: Any = 1, dtype: torch.dtype | None = None, **kwargs: Any) -> Array:
    whole = all(isinstance(x, int) for x in (start, end, step))
    return jnp.arange(start, end, step, to_dtype(dtype or (torch.int64 if whole else torch.float32)))


# Shapes


@of(aten.sym_size.int)
def _size(x: Array, dim: int) -> int:
    return x.shape[dim]


@of(aten.sym_numel.default)
def _numel(x: Array) -> int:
    return math.prod(x.shape)


@of(aten.view.default, aten._unsafe_view.default, aten.reshape.default)
def _view(x: Array, size: Sequence[Any]) -> Array:
    return x.reshape(_shape(size))


@of(aten.permute.default)
def _permute(x: Array, dims: Sequence[int]) -> Array:
    return jnp.transpose(x, dims)


@of(aten.transpose.int)
def _transpose(x: Array, a: int, b: int) -> Array:
    return jnp.swapaxes(x, a, b)


@of(aten.expand.default)
def _expand(x: Array, size: Sequence[Any], implicit: bool = False) -> Array:
    size = list(size)
    added = len(size) - x.ndim
    for d, given in enumerate(size):
        # A traced size may stand for one that is 1 here.
        if not isinstance(given, int) or given == -1:
            size[d] = x.shape[d - added]
    return jnp.broadcast_to(x, _shape(size))


@of(aten.unsqueeze.default)
def _unsqueeze(x: Array, dim: int) -> Array:
    return jnp.expand_dims(x, dim)


@of(aten.squeeze.dims, aten.squeeze.dim)
def _squeeze(x: Array, dim: Any) -> Array:
    dims = _dims(dim, x.ndim) or ()
    return jnp.squeeze(x, tuple(d for d in dims if x.shape[d] == 1))


@of(aten.cat.default)
def _cat(tensors: Sequence[Array], dim: int = 0) -> Array:
    kept = [x for x in tensors if x.shape != (0,)]  # torch lets empty vectors pass
    return jnp.concatenate(kept, dim) if kept else tensors[0]


@of(aten.stack.default)
def _stack(tensors: Sequence[Array], dim: int = 0) -> Array:
    return jnp.stack(tensors, dim)


@of(aten.split_with_sizes.default)
def _split_with_sizes(x: Array, sizes: Sequence[Any], dim: int = 0) -> list[Array]:
    return jnp.split(x, np.cumsum(_shape(sizes))[:-1].tolist(), dim)


@of(aten.split.Tensor)
def _split(x: Array, size: Any, dim: int = 0) -> list[Array]:
    return jnp.split(x, list(range(size, x.shape[dim], size)), dim)


@of(aten.unbind.int)
def _unbind(x: Array, dim: int = 0) -> list[Array]:
    return [lax.index_in_dim(x, i, dim, keepdims=False) for i in range(x.shape[dim])]


@of(aten.slice.Tensor)
def _slice(x: Array, dim: int = 0, start: Any = None, end: Any = None, step: int = 1) -> Array:
    index = [builtins.slice(None)] * x.ndim
    index[dim] = builtins.slice(start, end, step)
    return x[tuple(index)]


@of(aten.select.int)
def _select(x: Array, dim: int, index: Any) -> Array:
    return lax.index_in_dim(x, index, dim, keepdims=False)


@of(aten.flip.default)
def _flip(x: Array, dims: Sequence[int]) -> Array:
    return jnp.flip(x, tuple(dims))


@of(aten.roll.default)
def _roll(x: Array, shifts: Any, dims: Any = ()) -> Array:
    return jnp.roll(x, tuple(shifts), tuple(dims)) if dims else jnp.roll(x, shifts)


@of(aten.repeat.default)
def _repeat(x: Array, repeats: Sequence[Any]) -> Array:
    return jnp.tile(x, _shape(repeats))


@of(aten.as_strided.default)
def _as_strided(x: Array, size: Sequence[Any], stride: Sequence[Any], offset: Any = None) -> Array:
    index = np.full(_shape(size), offset or 0, np.int32)
    for d, (count, step) in enumerate(zip(size, stride)):
        index += (np.arange(count) * step).reshape([-1 if i == d else 1 for i in range(len(size))]).astype(np.int32)
    return x.reshape(-1)[index]


@of(aten.constant_pad_nd.default)
def _constant_pad(x: Array, pad: Sequence[Any], value: Any = 0) -> Array:
    pairs = [(int(pad[i]), int(pad[i + 1]), 0) for i in range(0, len(pad), 2)]
    widths = [(0, 0, 0)] * (x.ndim - len(pairs)) + pairs[::-1]
    return lax.pad(x, jnp.asarray(value, x.dtype), widths)  # negative widths cut


@of(aten.tril.default)
def _tril(x: Array, diagonal: int = 0) -> Array:
    return jnp.tril(x, diagonal)


@of(aten.triu.default)
def _triu(x: Array, diagonal: int = 0) -> Array:
    return jnp.triu(x, diagonal)


@of(aten.diagonal.default)
def _diagonal(x: Array, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Array:
    return jnp.diagonal(x, offset, dim1, dim2)


# Looking up


@of(aten.embedding.default)
def _embedding(weight: Array, ids: Array, *args: Any) -> Array:
    return jnp.take(weight, ids, 0, mode="clip")


@of(aten.index_select.default)
def _index_select(x: Array, dim: int, index: Array) -> Array:
    return jnp.take(x, index, dim)


@of(aten.gather.default)
def _gather(x: Array, dim: int, index: Array, sparse_grad: bool = False) -> Array:
    # torch allows an index that is shorter than x in the other dimensions.
    dim %= x.ndim
    cut = tuple(builtins.slice(None) if d == dim else builtins.slice(0, index.shape[d]) for d in range(x.ndim))
    return jnp.take_along_axis(x[cut], index, dim)


@of(aten.index.Tensor)
def _index(x: Array, indices: Sequence[Array | None]) -> Array:
    return x[tuple(builtins.slice(None) if i is None else i for i in indices)]


@of(aten.index_put.default)
def _index_put(x: Array, indices: Sequence[Array | None], values: Array, accumulate: bool = False) -> Array:
    place = x.at[tuple(builtins.slice(None) if i is None else i for i in indices)]
    return place.add(values) if accumulate else place.set(values.astype(x.dtype))


@of(aten.scatter.src)
def _scatter(x: Array, dim: int, index: Array, src: Array) -> Array:
    return jnp.put_along_axis(x, index, src, dim, inplace=False)


@of(aten.scatter.value)
def _scatter_value(x: Array, dim: int, index: Array, value: Any) -> Array:
    return jnp.put_along_axis(x, index, jnp.asarray(value, x.dtype), dim, inplace=False)


@of(aten.slice_scatter.default)
def _slice_scatter(x: Array, src: Array, dim: int = 0, start: Any = None, end: Any = None, step: int = 1) -> Array:
    index = [builtins.slice(None)] * x.ndim
    index[dim] = builtins.slice(start, end, step)
    return x.at[tuple(index)].set(src)


@of(aten.select_scatter.default)
def _select_scatter(x: Array, src: Array, dim: int, index: int) -> Array:
    place: list[Any] = [builtins.slice(None)] * x.ndim
    place[dim] = index
    return x.at[tuple(place)].set(src)


# Reducing


@of(aten.sum.dim_IntList, aten.sum.default)
def _sum(x: Array, dim: Any = None, keepdim: bool = False, dtype: torch.dtype | None = None) -> Array:
    kind = to_dtype(dtype) if dtype is not None else to_dtype(torch.int64) if _is_integer(x) else None
    return jnp.sum(x, _dims(dim, x.ndim), kind, keepdims=keepdim)


@of(aten.mean.dim, aten.mean.default)
def _mean(x: Array, dim: Any = None, keepdim: bool = False, dtype: torch.dtype | None = None) -> Array:
    return jnp.mean(x, _dims(dim, x.ndim), None if dtype is None else to_dtype(dtype), keepdims=keepdim)


@of(aten.var.correction)
def _var(x: Array, dim: Any = None, correction: float | None = None, keepdim: bool = False) -> Array:
    return jnp.var(x, _dims(dim, x.ndim), ddof=1 if correction is None else correction, keepdims=keepdim)


@of(aten.std.correction)
def _std(x: Array, dim: Any = None, correction: float | None = None, keepdim: bool = False) -> Array:
    return jnp.sqrt(_var(x, dim, correction=correction, keepdim=keepdim))


@of(aten.var_mean.correction)
def _var_mean(x: Array, dim: Any = None, correction: float | None = None, keepdim: bool = False) -> tuple[Array, Array]:
    return _var(x, dim, correction=correction, keepdim=keepdim), _mean(x, dim, keepdim)


@of(aten.amax.default)
def _amax(x: Array, dim: Any = None, keepdim: bool = False) -> Array:
    return jnp.max(x, _dims(dim, x.ndim), keepdims=keepdim)


@of(aten.amin.default)
def _amin(x: Array, dim: Any = None, keepdim: bool = False) -> Array:
    return jnp.min(x, _dims(dim, x.ndim), keepdims=keepdim)


@of(aten.max.default)
def _max_all(x: Array) -> Array:
    return jnp.max(x)


@of(aten.min.default)
def _min_all(x: Array) -> Array:
    return jnp.min(x)


@of(aten.max.dim)
def _max(x: Array, dim: int, keepdim: bool = False) -> tuple[Array, Array]:
    return jnp.max(x, dim, keepdims=keepdim), _argmax(x, dim, keepdim)


@of(aten.min.dim)
def _min(x: Array, dim: int, keepdim: bool = False) -> tuple[Array, Array]:
    return jnp.min(x, dim, keepdims=keepdim), _argmin(x, dim, keepdim)


@of(aten.argmax.default)
def _argmax(x: Array, dim: int | None = None, keepdim: bool = False) -> Array:
    return jnp.argmax(x, dim, keepdims=keepdim).astype(to_dtype(torch.int64))


@of(aten.argmin.default)
def _argmin(x: Array, dim: int | None = None, keepdim: bool = False) -> Array:
    return jnp.argmin(x, dim, keepdims=keepdim).astype(to_dtype(torch.int64))


@of(aten.any.default, aten.any.dim, aten.any.dims)
def _any(x: Array, dim: Any = None, keepdim: bool = False) -> Array:
    return jnp.any(x, _dims(dim, x.ndim), keepdims=keepdim)


@of(aten.all.default, aten.all.dim, aten.all.dims)
def _all(x: Array, dim: Any = None, keepdim: bool = False) -> Array:
    return jnp.all(x, _dims(dim, x.ndim), keepdims=keepdim)


@of(aten.cumsum.default)
def _cumsum(x: Array, dim: int, dtype: torch.dtype | None = None) -> Array:
    kind = to_dtype(dtype) if dtype is not None else to_dtype(torch.int64) if _is_integer(x) else None
    return jnp.cumsum(x, dim, kind)


@of(aten.prod.dim_int)
def _prod(x: Array, dim: int, keepdim: bool = False, dtype: torch.dtype | None = None) -> Array:
    return jnp.prod(x, dim, keepdims=keepdim)


@of(aten.linalg_vector_norm.default)
def _vector_norm(x: Array, order: float = 2, dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Array:
    dims, x = _dims(dim, x.ndim), jnp.abs(x)
    if order == math.inf:
        return jnp.max(x, dims, keepdims=keepdim)
    if order == 2:
        return jnp.sqrt(jnp.sum(x * x, dims, keepdims=keepdim))
    return jnp.sum(x**order, dims, keepdims=keepdim) ** (1 / order)


@of(aten.topk.default)
def _topk(x: Array, k: int, dim: int = -1, largest: bool = True, is_sorted: bool = True) -> tuple[Array, Array]:
    moved = jnp.moveaxis(x if largest else -x, dim, -1)
    values, indices = lax.top_k(moved, k)
    values = values if largest else -values
    return jnp.moveaxis(values, -1, dim), jnp.moveaxis(indices, -1, dim).astype(to_dtype(torch.int64))


@of(aten.sort.default, aten.sort.stable)
def _sort(x: Array, dim: int = -1, descending: bool = False, **kwargs: Any) -> tuple[Array, Array]:
    order = jnp.argsort(x, dim, stable=True, descending=descending)
    return jnp.take_along_axis(x, order, dim), order.astype(to_dtype(torch.int64))


# Products


@of(aten.mm.default, aten.bmm.default, aten.matmul.default)
def _matmul(x: Array, y: Array) -> Array:
    return jnp.matmul(x, y)


@of(aten.addmm.default)
def _addmm(bias: Array, x: Array, y: Array, beta: Any = 1, alpha: Any = 1) -> Array:
    product = jnp.matmul(x, y)
    return (product if alpha == 1 else alpha * product) + (bias if beta == 1 else beta * bias)


@of(aten.baddbmm.default)
def _baddbmm(bias: Array, x: Array, y: Array, beta: Any = 1, alpha: Any = 1) -> Array:
    return _addmm(bias, x, y, beta, alpha)


@of(aten.linear.default)
def _linear(x: Array, weight: Array, bias: Array | None = None) -> Array:
    y = lax.dot_general(x, weight, (((x.ndim - 1,), (1,)), ((), ())))
    return y if bias is None else y + bias


@of(aten.scaled_dot_product_attention.default)
def _attention(
    q: Array,
    k: Array,
    v: Array,
    mask: Array | None = None,
    dropout: float = 0.0,
    causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Array:
    if enable_gqa and k.shape[-3] != q.shape[-3]:
        k, v = (jnp.repeat(x, q.shape[-3] // x.shape[-3], -3) for x in (k, v))
    scores = jnp.matmul(q, jnp.swapaxes(k, -1, -2)) * (1 / math.sqrt(q.shape[-1]) if scale is None else scale)
    if causal:
        allowed = jnp.tril(jnp.ones(scores.shape[-2:], jnp.bool_))
        scores = jnp.where(allowed, scores, -jnp.inf)
    if mask is not None:
        scores = jnp.where(mask, scores, -jnp.inf) if mask.dtype == jnp.bool_ else scores + mask
    weights = jax.nn.softmax(scores.astype(jnp.float32), -1).astype(q.dtype)
    if dropout:
        weights = _dropout(weights, dropout, True)
    return jnp.matmul(weights, v)


@of(aten.softmax.int, aten._softmax.default)
def _softmax(x: Array, dim: int, dtype: Any = None) -> Array:
    return jax.nn.softmax(x.astype(to_dtype(dtype)) if isinstance(dtype, torch.dtype) else x, dim)


@of(aten.log_softmax.int, aten._log_softmax.default)
def _log_softmax(x: Array, dim: int, dtype: Any = None) -> Array:
    return jax.nn.log_softmax(x.astype(to_dtype(dtype)) if isinstance(dtype, torch.dtype) else x, dim)


@of(aten.layer_norm.default)
def _layer_norm(
    x: Array, shape: Sequence[Any], weight: Any = None, bias: Any = None, eps: float = 1e-5, *_: Any
) -> Array:
    return _native_layer_norm(x, shape, weight, bias, eps)[0]


@of(aten.native_layer_norm.default)
def _native_layer_norm(
    x: Array, shape: Sequence[Any], weight: Any, bias: Any, eps: float
) -> tuple[Array, Array, Array]:
    axes = tuple(range(x.ndim - len(shape), x.ndim))
    y, mean, scale = _standardised(x, axes, eps)
    if weight is not None:
        y = y * weight
    return (y if bias is None else y + bias).astype(x.dtype), mean, scale


def _standardised(x: Array, axes: tuple[int, ...], eps: float) -> tuple[Array, Array, Array]:
    wide = x.astype(jnp.promote_types(x.dtype, jnp.float32))
    mean = wide.mean(axes, keepdims=True)
    centred = wide - mean
    scale = lax.rsqrt(jnp.mean(centred * centred, axes, keepdims=True) + eps)
    return centred * scale, mean, scale


@of(aten.group_norm.default)
def _group_norm(x: Array, groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-5, *_: Any) -> Array:
    parts = x.reshape(x.shape[0], groups, -1)
    y = _standardised(parts, (2,), eps)[0].reshape(x.shape)
    return _channelwise(y, weight, bias).astype(x.dtype)


@of(aten.native_group_norm.default)
def _native_group_norm(
    x: Array, weight: Any, bias: Any, n: Any, channels: Any, size: Any, groups: int, eps: float
) -> tuple[Array, None, None]:
    return _group_norm(x, groups, weight, bias, eps), None, None


def _channelwise(x: Array, weight: Array | None, bias: Array | None) -> Array:
    shape = (1, -1, *[1] * (x.ndim - 2))
    x = x if weight is None else x * weight.reshape(shape)
    return x if bias is None else x + bias.reshape(shape)


@of(aten._native_batch_norm_legit_no_training.default)
def _batch_norm(
    x: Array, weight: Any, bias: Any, mean: Array, var: Array, momentum: float, eps: float
) -> tuple[Array, Array, Array]:
    shape = (1, -1, *[1] * (x.ndim - 2))
    y = (x - mean.reshape(shape)) * lax.rsqrt(var.reshape(shape) + eps)
    return _channelwise(y, weight, bias).astype(x.dtype), mean, var


# Convolution and pooling


@of(aten.convolution.default)
def _convolution(
    x: Array,
    weight: Array,
    bias: Array | None,
    stride: Sequence[int],
    padding: Sequence[Any],
    dilation: Sequence[int],
    transposed: bool,
    output_padding: Sequence[int],
    groups: int,
) -> Array:
    n = x.ndim - 2
    letters = "DHW"[3 - n :]
    numbers = (f"NC{letters}", f"OI{letters}", f"NC{letters}")
    stride, dilation = (tuple(v) * (n if len(v) == 1 else 1) for v in (stride, dilation))
    padding, output_padding = (tuple(v) * (n if len(v) == 1 else 1) for v in (padding, output_padding))
    if not transposed:
        y = lax.conv_general_dilated(
            x, weight, stride, [(p, p) for p in padding], None, dilation, numbers, feature_group_count=groups
        )
    else:
        # The gradient of a convolution: spread the input by the stride and convolve with the mirrored kernel.
        kernel = jnp.flip(weight, tuple(range(2, weight.ndim)))
        kernel = kernel.reshape(groups, weight.shape[0] // groups, *weight.shape[1:])
        kernel = jnp.swapaxes(kernel, 1, 2).reshape(-1, weight.shape[0] // groups, *weight.shape[2:])
        reach = [d * (k - 1) for d, k in zip(dilation, weight.shape[2:])]
        pads = [(r - p, r - p + o) for r, p, o in zip(reach, padding, output_padding)]
        y = lax.conv_general_dilated(x, kernel, (1,) * n, pads, stride, dilation, numbers, feature_group_count=groups)
    return y if bias is None else _channelwise(y, None, bias)


def _windows(values: Sequence[Any], n: int) -> tuple[Any, ...]:
    return tuple(values) * (n if len(values) == 1 else 1)


@of(aten.max_pool2d_with_indices.default)
def _max_pool(
    x: Array,
    kernel: Sequence[int],
    stride: Sequence[int] = (),
    padding: Any = (0,),
    dilation: Any = (1,),
    ceil: bool = False,
) -> tuple[Array, None]:
    kernel, stride = _windows(kernel, 2), _windows(stride or kernel, 2)
    pads = _pool_pads(x, kernel, stride, _windows(padding, 2), ceil)
    low = -jnp.inf if jnp.issubdtype(x.dtype, jnp.floating) else jnp.iinfo(x.dtype).min
    y = lax.reduce_window(
        x, jnp.asarray(low, x.dtype), lax.max, (1, 1, *kernel), (1, 1, *stride), pads,
        window_dilation=(1, 1, *_windows(dilation, 2)),
    )  # fmt: skip
    return y, None


def _pool_pads(x: Array, kernel: Any, stride: Any, padding: Any, ceil: bool) -> list[tuple[int, int]]:
    pads = [(0, 0), (0, 0)]
    for size, k, s, p in zip(x.shape[2:], kernel, stride, padding):
        extra = 0
        if ceil:
            extra = -(size + 2 * p - k) % s
            if (size + 2 * p + extra - k) // s * s >= size + p:  # a window may not begin in the padding
                extra -= s
        pads.append((p, p + max(extra, 0)))
    return pads


@of(aten.avg_pool2d.default, aten.avg_pool1d.default)
def _avg_pool(
    x: Array, kernel: Sequence[int], stride: Sequence[int] = (), padding: Any = (0,), ceil: bool = False,
    count_padding: bool = True, divisor: int | None = None,
) -> Array:  # fmt: skip
    n = x.ndim - 2
    kernel, stride = _windows(kernel, n), _windows(stride or kernel, n)
    pads = _pool_pads(x, kernel, stride, _windows(padding, n), ceil)
    zero = jnp.asarray(0, x.dtype)
    total = lax.reduce_window(x, zero, lax.add, (1, 1, *kernel), (1, 1, *stride), pads)
    if divisor is not None or (count_padding and not ceil):
        return total / (divisor or math.prod(kernel))
    counted = lax.reduce_window(jnp.ones_like(x), zero, lax.add, (1, 1, *kernel), (1, 1, *stride), pads)
    return total / counted


@of(aten._adaptive_avg_pool2d.default, aten.adaptive_avg_pool1d.default)
def _adaptive_avg_pool(x: Array, size: Sequence[Any]) -> Array:
    for axis, count in zip(range(x.ndim - len(size), x.ndim), size):
        length = x.shape[axis]
        edges = np.arange(count + 1)
        begin, end = edges[:-1] * length // count, -(-edges[1:] * length // count)
        places = np.arange(length)
        weights = ((places >= begin[:, None]) & (places < end[:, None])) / (end - begin)[:, None]
        x = jnp.moveaxis(jnp.tensordot(x, jnp.asarray(weights, x.dtype), (axis, 1)), -1, axis)
    return x


# Resizing: each axis in turn is a product with a matrix of weights, made from the sizes.


def _resize(
    x: Array, size: Sequence[Any] | None, factors: Any, weights: Callable[..., np.ndarray], *args: Any
) -> Array:
    n = x.ndim - 2
    wanted = [int(x.shape[2 + i] * factors[i]) for i in range(n)] if size is None else _shape(size)
    for i, new in enumerate(wanted):
        matrix = weights(x.shape[2 + i], new, None if factors is None else factors[i], *args)
        x = jnp.moveaxis(jnp.tensordot(x, jnp.asarray(matrix, x.dtype), (2 + i, 1)), -1, 2 + i)
    return x


def _sources(old: int, new: int, factor: float | None, align: bool) -> np.ndarray:
    """Where each new position lies among the old ones."""
    if align:
        return np.arange(new) * ((old - 1) / (new - 1) if new > 1 else 0.0)
    return (np.arange(new) + 0.5) * (1 / factor if factor else old / new) - 0.5


def _linear_weights(old: int, new: int, factor: float | None, align: bool) -> np.ndarray:
    at = np.clip(_sources(old, new, factor, align), 0, None)
    low = np.minimum(np.floor(at).astype(int), old - 1)
    matrix = np.zeros((new, old))
    part = np.where(low == old - 1, 0.0, at - low)
    np.add.at(matrix, (np.arange(new), low), 1 - part)
    np.add.at(matrix, (np.arange(new), np.minimum(low + 1, old - 1)), part)
    return matrix


def _cubic_weights(old: int, new: int, factor: float | None, align: bool) -> np.ndarray:
    at = _sources(old, new, factor, align)
    low = np.floor(at).astype(int)
    matrix = np.zeros((new, old))
    for offset in range(-1, 3):
        d, a = np.abs(at - low - offset), -0.75
        near = ((a + 2) * d - (a + 3)) * d * d + 1
        far = ((d - 5) * d + 8) * d * a - 4 * a
        np.add.at(matrix, (np.arange(new), np.clip(low + offset, 0, old - 1)), np.where(d <= 1, near, far))
    return matrix


def _nearest_weights(old: int, new: int, factor: float | None) -> np.ndarray:
    matrix = np.zeros((new, old))
    at = np.floor(np.arange(new) * (1 / factor if factor else old / new)).astype(int)
    matrix[np.arange(new), np.minimum(at, old - 1)] = 1
    return matrix


@of(aten.upsample_bilinear2d.vec, aten.upsample_linear1d.vec)
def _upsample_linear(x: Array, size: Any, align: bool, factors: Any) -> Array:
    return _resize(x, size, factors, _linear_weights, align)


@of(aten.upsample_bicubic2d.vec)
def _upsample_cubic(x: Array, size: Any, align: bool, factors: Any) -> Array:
    return _resize(x, size, factors, _cubic_weights, align)


@of(aten.upsample_nearest2d.vec, aten.upsample_nearest1d.vec)
def _upsample_nearest(x: Array, size: Any, factors: Any) -> Array:
    return _resize(x, size, factors, _nearest_weights)


# Randomness: keys are taken from the stream that `rng` opened.

_KEYS: list[Callable[[], Array]] = []


class rng:
    """Randomness inside comes from `key`; without it (None), what is random raises."""

    def __init__(self, key: Array | None) -> None:
        self.key = key

    def __enter__(self) -> None:
        _KEYS.append(self._next)

    def __exit__(self, *error: Any) -> None:
        _KEYS.pop()

    def _next(self) -> Array:
        if self.key is None:
            raise ValueError("This model is in training mode and draws random numbers: pass `dropout_rng`")
        self.key, used = jax.random.split(self.key)
        return used


def _key() -> Array:
    if not _KEYS:
        raise ValueError("Randomness without a key: run the program inside `rng(key)`")
    return _KEYS[-1]()


@of(aten.dropout.default)
def _dropout(x: Array, p: float, train: bool) -> Array:
    if not train or p == 0:
        return x
    keep = jax.random.bernoulli(_key(), 1 - p, x.shape)
    return jnp.where(keep, x / (1 - p), jnp.zeros_like(x))


@of(aten.native_dropout.default)
def _native_dropout(x: Array, p: float, train: bool | None = True) -> tuple[Array, None]:
    return _dropout(x, p, bool(train)), None


@of(aten.rand.default)
def _rand(size: Sequence[Any], dtype: torch.dtype | None = None, **kwargs: Any) -> Array:
    return jax.random.uniform(_key(), _shape(size), to_dtype(dtype or torch.float32))


@of(aten.randn.default)
def _randn(size: Sequence[Any], dtype: torch.dtype | None = None, **kwargs: Any) -> Array:
    return jax.random.normal(_key(), _shape(size), to_dtype(dtype or torch.float32))


@of(aten.rand_like.default)
def _rand_like(x: Array, **kwargs: Any) -> Array:
    return jax.random.uniform(_key(), x.shape, x.dtype)


@of(aten.randn_like.default)
def _randn_like(x: Array, **kwargs: Any) -> Array:
    return jax.random.normal(_key(), x.shape, x.dtype)


@of(aten.bernoulli.p)
def _bernoulli(x: Array, p: float = 0.5, generator: Any = None) -> Array:
    return jax.random.bernoulli(_key(), p, x.shape).astype(x.dtype)
