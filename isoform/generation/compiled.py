"""Compiled decoding: one step of the model as one graph of fixed shapes, run over a cache of fixed size.

The graph is made by `torch.compile`. Its matrix products, which take nearly all of the time, go to an operator that
reads each weight once, at the speed of memory (`_native.py`). Weights stay inputs of the graph: nothing is copied or
frozen, so training and merged adapters need no new compilation, and graphs of several lengths share them.

Lengths are rounded up to powers of two; each such bucket is compiled once. PyTorch keeps the result on disk
(`TORCHINDUCTOR_CACHE_DIR`), so later processes only load it.
"""

from __future__ import annotations

import functools
import threading
import types
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from ..cache_utils import DynamicCache, StaticCache
from ..layers import masks
from ..modeling_outputs import CausalLMOutputWithPast
from ..utils import logging
from . import _native
from .steps import EncoderDecoderSteps, PlainSteps

if TYPE_CHECKING:
    from .loop import Decoding, Options

logger = logging.get_logger(__name__)

SMALLEST_BUCKET = 64
_MOST_PROGRAMS = 8  # per model: each holds a cache
_UNKNOWN_LENGTH = 512  # tokens to make room for beyond the prompt where no length is given


def bucket(length: int) -> int:
    """The size of the cache for `length` positions."""
    return max(SMALLEST_BUCKET, 1 << (length - 1).bit_length())


class _Buffers(StaticCache):
    """A `StaticCache` on given tensors."""

    def __init__(self, keys: list[Tensor], values: list[Tensor], position: Tensor) -> None:
        self.key_cache, self.value_cache, self.position = keys, values, position
        self.capacity, self.rows, self.cross = keys[0].shape[2], position[None], {}


class Program:
    """The compiled step for one model, batch size and bucket, and the buffers that it works on.

    Args:
        model: a decoder of this package.
        like: a filled cache, for the number of layers, heads and channels.
        capacity: positions.
        padded: whether there is padding to mask.
        encoder_room: positions of the encoder's states, of which some may stay empty; 0 without an encoder.
    """

    def __init__(self, model: Any, like: DynamicCache, capacity: int, padded: bool, encoder_room: int = 0) -> None:
        batch = like[0][0].shape[0]
        device = like[0][0].device

        def room(x: Tensor) -> Tensor:
            return x.new_zeros(batch, x.shape[1], capacity, x.shape[3])

        self.lock = threading.Lock()
        self.capacity = capacity
        self.keys, self.values = [room(layer[0]) for layer in like], [room(layer[1]) for layer in like]
        self.ids = torch.zeros(batch, 1, dtype=torch.long, device=device)
        self.position = torch.zeros((), dtype=torch.long, device=device)
        self.mask = torch.ones(batch, capacity, dtype=torch.long, device=device) if padded else None
        placed = padded and model.places_tokens and "position_ids" in model.forward_names()
        self.position_ids = torch.zeros(batch, 1, dtype=torch.long, device=device) if placed else None
        self.encoder = EncoderBuffers(like, encoder_room) if encoder_room else None
        self._graph: Callable[..., Any] | None = None
        self._arguments: tuple[Any, ...] = ()
        self._checked = torch.compile(_own_code(_step), backend=self._backend, fullgraph=True, dynamic=False)
        self._model = model

    def fill(self, cache: DynamicCache, mask: Tensor | None, encoder_mask: Tensor | None = None) -> None:
        """Start from what `cache` holds. `mask` is `(batch, >= capacity)`; `encoder_mask` as in `EncoderBuffers`."""
        if self.encoder is not None:
            self.encoder.fill(cache, encoder_mask)
        for buffers, filled in ((self.keys, cache.key_cache), (self.values, cache.value_cache)):
            for to, given in zip(buffers, filled):
                to[:, :, : cache.length] = given
        if self.mask is not None and mask is not None:
            self.mask.copy_(mask[:, : self.capacity])

    def run(self, first: bool) -> Tensor:
        """Logits `(batch, vocabulary)` for `ids` at `position`.

        Args:
            first: the model may have changed since the last run, so let the compiler check that the graph still holds.
        """
        if first or self._graph is None:
            encoder = None if self.encoder is None else self.encoder.tensors
            return self._checked(
                self._model, self.ids, self.position, self.keys, self.values, self.mask, self.position_ids, encoder
            )
        # The arguments are the same tensors in every step, so the checks of the first step hold.
        return self._graph(*self._arguments)[0]

    def _backend(self, graph: torch.fx.GraphModule, examples: list[Tensor]) -> Callable[..., Any]:
        """Compile the traced step; note how it is called."""
        from torch._inductor import config
        from torch._inductor.compile_fx import compile_fx

        _use_small_linear(graph)
        # Low precision is rounded where the step-by-step model rounds, so that both choose the same tokens. The sizes
        # of arguments need no checks in every step: they are the program's own buffers, and weights.
        settings = {"emulate_precision_casts": True, "size_asserts": False, "alignment_asserts": False}
        known = {name: value for name, value in settings.items() if hasattr(config, name)}
        with _native.starting_helpers(), config.patch(known):
            compiled: Any = compile_fx(graph, examples)

        def call(*arguments: Any) -> Any:
            self._graph, self._arguments = compiled, arguments
            return compiled(*arguments)

        return call


class EncoderBuffers:
    """The encoder's keys and values for each layer, with room for longer ones, and the mask that hides the room."""

    def __init__(self, like: DynamicCache, room: int) -> None:
        self.pairs = [tuple(x.new_zeros(*x.shape[:2], room, x.shape[3]) for x in layer[2:]) for layer in like]
        first = self.pairs[0][0]
        self.mask = first.new_zeros(first.shape[0], 1, 1, room)
        self.states = first.new_zeros(first.shape[0], room, 1)  # stands for the states, from which nothing is computed

    @property
    def tensors(self) -> tuple[Any, ...]:
        return self.pairs, self.states, self.mask

    def fill(self, cache: DynamicCache, mask: Tensor | None) -> None:
        """Take over what `cache` holds; `mask` is additive, `(batch, 1, 1, positions)`."""
        held = 0
        for layer, pair in zip(cache, self.pairs):
            held = layer[2].shape[2]
            for to, given in zip(pair, layer[2:]):
                to[:, :, :held] = given
        self.mask.fill_(torch.finfo(self.mask.dtype).min)
        self.mask[..., :held] = 0 if mask is None else mask


def _step(
    model: Any,
    ids: Tensor,
    position: Tensor,
    keys: list[Tensor],
    values: list[Tensor],
    mask: Tensor | None,
    position_ids: Tensor | None,
    encoder: tuple[Any, ...] | None,
) -> Tensor:
    """One step of `model`; the cache is written in place."""
    inputs: dict[str, Any] = {} if mask is None else {"attention_mask": mask}
    if position_ids is not None:
        inputs["position_ids"] = position_ids
    cache = _Buffers(keys, values, position)
    if encoder is not None:
        pairs, states, encoder_mask = encoder
        cache.cross = dict(enumerate(pairs))
        given = {"encoder_hidden_states": states, "encoder_attention_mask": masks.Prepared(encoder_mask)}
        output = model.get_decoder()(
            input_ids=ids, past_key_values=cache, use_cache=True, return_dict=True, **inputs, **given
        )
        return model._logits(output.last_hidden_state)[:, -1]
    return model(input_ids=ids, past_key_values=cache, use_cache=True, return_dict=True, **inputs).logits[:, -1]


def _own_code(function: Any) -> Callable[..., Any]:
    """A copy of the function with code of its own: PyTorch limits the number of graphs per piece of code."""
    return types.FunctionType(function.__code__.replace(), function.__globals__, function.__name__)


def _use_small_linear(graph: torch.fx.GraphModule) -> None:
    """Replace products of a few rows with a weight by `isoform::small_linear`."""
    if not _native.available():
        return
    for node in graph.graph.nodes:
        if node.op != "call_function":
            continue
        if node.target in (torch.nn.functional.linear, torch._C._nn.linear):
            arguments = dict(zip(("input", "weight", "bias"), node.args)) | node.kwargs
            x, weight, bias, transposed = arguments["input"], arguments["weight"], arguments.get("bias"), False
        elif node.target is torch.addmm and not node.kwargs:
            (bias, x, weight), transposed = node.args, True
        else:
            continue
        values: list[Any] = [None if n is None else n.meta["example_value"] for n in (x, weight, bias)]
        if _native.suits(*values):
            node.target, node.args = torch.ops.isoform.small_linear.default, (x, weight, bias, transposed)
            node.kwargs = {}
    graph.recompile()


class Programs:
    """The programs of one model. Copies and pickles of the model start without any."""

    def __init__(self) -> None:
        self.made: dict[Any, Program] = {}

    def __deepcopy__(self, memo: Any) -> Programs:
        return Programs()

    def __reduce__(self) -> Any:
        return Programs, ()


def programs_of(model: Any) -> dict[Any, Program]:
    """The programs made for `model`, by what they were made for."""
    return model.__dict__.setdefault("_decoding_programs", Programs()).made


class CompiledSteps(PlainSteps):
    """Steps by compiled programs. The prompt runs as in `PlainSteps`."""

    def __init__(self, model: Any, ids: Tensor, kwargs: dict[str, Any], options: Options) -> None:
        super().__init__(model, ids, kwargs, options)
        self.max_length = options.max_length
        self.cross: dict[int, tuple[Tensor, Tensor]] = {}
        self.program: Program | None = None
        self.fresh = self.failed = False

    @property
    def past(self) -> Any:
        if self.program is None:
            return self.cache
        layers = zip(self.program.keys, self.program.values)
        cache = DynamicCache.from_legacy_cache([[x[:, :, : self.seen].clone() for x in pair] for pair in layers])
        cache.cross.update(self.cross)
        return cache

    def forward(self, run: Decoding) -> Any:
        end = run.length + self.offset
        if self.program is None and (self.failed or self.cache.length == 0 or self.cache.length < end - 1):
            return super().forward(run)
        if self.program is None or end > self.program.capacity:
            self._start(end)
        program = self.program
        assert program is not None
        program.ids.copy_(run.last_ids(1))
        program.position.fill_(end - 1)
        if program.position_ids is not None:
            program.position_ids.copy_(self.positions[:, end - 1 : end])  # type: ignore[index]
        try:
            logits = program.run(self.fresh)
        except Exception as error:
            if not self.fresh:
                raise
            self._give_up(error)
            return super().forward(run)
        self.fresh, self.seen = False, end
        return CausalLMOutputWithPast(logits=logits[:, None])

    def _give_up(self, error: Exception) -> None:
        """Go on without the compiler, which failed."""
        warn_once(f"torch.compile failed on {type(self.model).__name__} ({type(error).__name__}: {str(error)[:300]})")
        self.cache, self.failed = self.past, True
        self.close()

    def _start(self, end: int) -> None:
        """Go on in a program with room for the `end`-th position, and if possible for all."""
        cache = self.past
        last = end + _UNKNOWN_LENGTH if self.max_length is None else self.max_length + self.offset
        capacity = bucket(max(end, last))
        self.close()
        if self.mask is not None and self.mask.shape[1] < capacity:
            self._prepare_mask(self.mask, capacity)
        sample = cache[0][0]
        room = self.encoder_room(cache)
        padded = self.mask is not None
        key = (sample.shape[0], capacity, room, sample.dtype, sample.device, padded, torch.get_num_threads())
        made = programs_of(self.model)
        program = made.get(key)
        _native.use_huge_pages(self.model)
        if program is None or not program.lock.acquire(blocking=False):
            # A program in use by another thread is left to it.
            program = made[key] = Program(self.model, cache, capacity, padded, room)
            program.lock.acquire()
            while len(made) > _MOST_PROGRAMS:
                del made[next(iter(made))]  # the oldest; whoever runs it keeps it until done
        self.program, self.fresh, self.seen = program, True, cache.length
        program.fill(cache, self.mask, self.prepared_encoder_mask())
        self.cross = cache.cross
        self.cache = DynamicCache()  # its content is in the program now

    def encoder_room(self, cache: DynamicCache) -> int:
        """Positions of the encoder's states to make room for."""
        return 0

    def prepared_encoder_mask(self) -> Tensor | None:
        """The additive mask over the encoder's states `(batch, 1, 1, positions)`, if there is one."""
        return None

    def reorder(self, rows: Tensor, start: int = 0) -> None:
        if self.program is None:
            super().reorder(rows, start)
            return
        for x in (*self.program.keys, *self.program.values):
            part = x[:, :, start + self.offset : self.seen]
            part.copy_(part.index_select(0, rows))

    def crop(self, length: int) -> None:
        if self.program is None:
            super().crop(length)
        else:
            self.seen = min(self.seen, length + self.offset)

    def close(self) -> None:
        """Leave the program to others."""
        if self.program is not None:
            self.program.lock.release()
            self.program = None


class CompiledEncoderDecoderSteps(CompiledSteps, EncoderDecoderSteps):
    """As `CompiledSteps`, of the decoder of a model with an encoder."""

    def encoder_room(self, cache: DynamicCache) -> int:
        return bucket(cache.cross[0][0].shape[2])

    def prepared_encoder_mask(self) -> Tensor | None:
        mask = self.encoder_mask
        return mask if mask is None else masks.to_additive(mask, self.states.dtype)


def reason_against(model: Any, options: Options) -> str | None:
    """Why `model` cannot be run by compiled steps, if it cannot."""
    if model.training:
        return "the model is in training mode: call model.eval()"
    if options.attentions or options.hidden_states:
        return "attentions or hidden states are recorded"
    if torch.is_grad_enabled():
        return "gradients are enabled"
    if hasattr(model, "hf_device_map"):
        return "the model is split over devices"
    scaling = getattr(model.config, "rope_scaling", None)
    if scaling and scaling.get("type") == "dynamic":
        return "dynamic rope scaling depends on the length"
    return None


@functools.cache
def warn_once(message: str) -> None:
    """Say why compiled decoding is not used, once."""
    logger.warning(f"compile_decoding has no effect here: {message}. Decoding goes on step by step.")
