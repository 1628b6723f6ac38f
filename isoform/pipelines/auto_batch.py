"""`batch_size="auto"`: sort what is queued by length, pack it to a budget of tokens, give results in input order.

A window of inputs is prepared at once. Its pieces (several per input in chunk pipelines) are sorted by length, the
longest first, and cut into batches whose rows times longest length stays within the budget; sorted neighbours are about
equally long, so little is padding. When memory runs out the budget is halved and the batch cut anew.
"""

from __future__ import annotations

import gc
import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from ..utils import logging
from .collate import collate, feature_padding, token_padding
from .pt_utils import unroll

if TYPE_CHECKING:
    from .base import Pipeline

logger = logging.get_logger(__name__)

# Inputs that are prepared before the first forward pass: the more, the less padding, but the later the first result.
# An iterator may be fed by a live source, so its window starts small.
WINDOW = 2048
FIRST_ITERATOR_WINDOW = 16
# The share of an input without tokens (an image, a waveform) in the budget: one position for this many numbers.
NUMBERS_PER_TOKEN = 768


class TokenBudgets(NamedTuple):
    """Padded tokens per forward pass, by the device."""

    # On a CPU, larger batches only push activations out of the cache; more threads need more rows to share.
    cpu: int = 1024
    cpu_thread: int = 512  # for each thread, where that is more
    accelerator: int = 32768


@dataclass(slots=True, eq=False)
class Piece:
    """One row of a batch to be: what `preprocess` made of an input or of a part of it."""

    item: int  # index of the input in its window
    part: int  # index among the input's pieces
    inputs: Any
    length: int  # tokens or samples
    cost: int  # positions that it takes from the budget
    group: Any  # pieces of one group can be padded to one shape; None for a piece that cannot share a batch


class AutoBatchIterator:
    """Iterates over the results of `pipeline` for `inputs`, a list, a dataset or an iterator."""

    def __init__(
        self,
        pipeline: Pipeline,
        inputs: Iterable[Any],
        preprocess_params: dict[str, Any],
        forward_params: dict[str, Any],
        postprocess_params: dict[str, Any],
    ) -> None:
        self.pipeline, self.inputs = pipeline, inputs
        self.preprocess_params = preprocess_params
        self.forward_params = forward_params
        self.postprocess_params = postprocess_params
        self._running: Iterator[Any] | None = None

    def __len__(self) -> int:
        return len(self.inputs)  # type: ignore[arg-type]

    def __iter__(self) -> AutoBatchIterator:
        # What was read ahead from an iterator cannot be read again, so that one goes on where it was.
        if self._running is None or not isinstance(self.inputs, Iterator):
            self._running = self._run()
        return self

    def __next__(self) -> Any:
        if self._running is None:
            self._running = self._run()
        return next(self._running)

    def _run(self) -> Iterator[Any]:
        for window in windows(self.inputs, self.pipeline.window):
            yield from self._results(window)

    def _results(self, window: list[Any]) -> list[Any]:
        """The results for the inputs of one window, in order."""
        pieces_of = self._prepare(window)
        results: list[Any] = [None] * len(window)
        outputs: list[list[Any]] = [[None] * len(pieces) for pieces in pieces_of]
        missing = [len(pieces) for pieces in pieces_of]
        for piece, output in self._outputs(pieces_of):
            outputs[piece.item][piece.part] = output
            missing[piece.item] -= 1
            if missing[piece.item] == 0:
                results[piece.item] = self._postprocess(outputs[piece.item])
                outputs[piece.item] = []  # hidden states of a whole window would be large
        for item, pieces in enumerate(pieces_of):
            if not pieces:
                results[item] = self._postprocess([])
        return results

    def _prepare(self, window: list[Any]) -> list[list[Piece]]:
        prepared = prepare_many(self.pipeline, window, self.preprocess_params)
        return [
            [self._piece(item, part, inputs) for part, inputs in enumerate(parts)]
            for item, parts in enumerate(prepared)
        ]

    def _piece(self, item: int, part: int, inputs: Any) -> Piece:
        length = self.pipeline._input_length(inputs) if isinstance(inputs, Mapping) else 0
        tensors = (
            [value for value in inputs.values() if isinstance(value, torch.Tensor)]
            if isinstance(inputs, Mapping)
            else []
        )
        cost = self.pipeline._batch_cost(length, self.forward_params)
        if not length:
            cost = max((value.numel() for value in tensors), default=0) // NUMBERS_PER_TOKEN + 1
        if not tensors or any(value.dim() == 0 or value.shape[0] != 1 for value in tensors):
            return Piece(item, part, inputs, length, cost, None)
        paddable = length > 0 and "attention_mask" in inputs
        shapes = tuple(
            (key, value.dtype, *_padded_shape(value.shape, length if paddable else 0))
            if isinstance(value, torch.Tensor)
            else key
            for key, value in inputs.items()
        )
        return Piece(
            item, part, inputs, length, cost, (shapes, self.pipeline._batch_group(length, self.forward_params))
        )

    def _outputs(self, pieces_of: list[list[Piece]]) -> Iterator[tuple[Piece, Any]]:
        """The output for each piece, in batches; the longest pieces first, so that memory runs out early if it does."""
        groups: dict[Any, list[Piece]] = defaultdict(list)
        for piece in itertools.chain.from_iterable(pieces_of):
            groups[piece.group].append(piece)
        for group, pieces in groups.items():
            pieces.sort(key=lambda piece: -piece.length)
            limit = 1 if group is None else self.pipeline._batch_limit() or len(pieces)
            start = 0
            while start < len(pieces):
                rows = min(limit, max(1, self._budget() // pieces[start].cost))
                batch = pieces[start : start + rows]
                outputs = self._try_forward(batch)
                if outputs is None:
                    self._shrink(batch)
                    continue
                yield from zip(batch, outputs)
                start += len(batch)

    def _budget(self) -> int:
        if self.pipeline.token_budget is not None:
            return self.pipeline.token_budget
        budgets = self.pipeline.token_budgets
        if self.pipeline.device.type != "cpu":
            return budgets.accelerator
        return max(budgets.cpu, budgets.cpu_thread * torch.get_num_threads())

    def _try_forward(self, batch: list[Piece]) -> list[Any] | None:
        """The outputs for a batch; None if it does not fit into memory but a smaller one might."""
        try:
            return self._forward(batch)
        except (RuntimeError, MemoryError) as error:
            if len(batch) == 1 or not is_out_of_memory(error):
                raise
            return None

    def _forward(self, batch: list[Piece]) -> list[Any]:
        if len(batch) == 1:
            return [self.pipeline.forward(batch[0].inputs, **self.forward_params)]
        longest = max(piece.length for piece in batch)
        inputs = collate(
            [dict(piece.inputs) for piece in batch],
            {
                **token_padding(self._pad_token_id(), getattr(self.pipeline.tokenizer, "pad_token_type_id", 0)),
                **feature_padding(self.pipeline.feature_extractor),
            },
            side="left" if self.pipeline._generates() else "right",
        )
        outputs = unroll(self.pipeline.forward(inputs, **self.forward_params))
        return [
            self.pipeline._cut_padding(output, longest - piece.length, longest, self.forward_params)
            for piece, output in zip(batch, outputs)
        ]

    def _pad_token_id(self) -> int:
        """What fills the masked positions. The model's own choice first: some derive positions or lengths from it."""
        for owner in (self.pipeline.model.config, self.pipeline.tokenizer):
            value = getattr(owner, "pad_token_id", None)
            if isinstance(value, int) and value >= 0:
                return value
        return 0

    def _shrink(self, batch: list[Piece]) -> None:
        """Halve the budget for this batch and all that follow, and free what the failed pass left."""
        budget = max(1, len(batch) * max(piece.cost for piece in batch) // 2)
        self.pipeline.token_budget = min(budget, self._budget())
        logger.warning(f"Out of memory in a batch of {len(batch)}: batches now hold at most {budget} tokens.")
        gc.collect()
        if self.pipeline.device.type == "cuda":
            torch.cuda.empty_cache()

    def _postprocess(self, outputs: list[Any]) -> Any:
        from .base import ChunkPipeline

        if not isinstance(self.pipeline, ChunkPipeline):
            return self.pipeline.postprocess(outputs[0], **self.postprocess_params)
        for output in outputs:
            output.pop("is_last", None)
        return self.pipeline.postprocess(outputs, **self.postprocess_params)


def windows(inputs: Any, largest: int = WINDOW) -> Iterator[list[Any]]:
    """Lists of consecutive inputs. An iterator is read ahead by 16, then 32, … inputs up to `largest`."""
    if not isinstance(inputs, Iterator) and hasattr(inputs, "__len__") and hasattr(inputs, "__getitem__"):
        for start in range(0, len(inputs), largest):
            yield [inputs[index] for index in range(start, min(start + largest, len(inputs)))]
        return
    source, size = iter(inputs), FIRST_ITERATOR_WINDOW
    while window := list(itertools.islice(source, size)):
        yield window
        size = min(2 * size, largest)


def prepare_many(pipeline: Pipeline, items: list[Any], params: dict[str, Any]) -> list[list[Any]]:
    """The pieces of each item, through `preprocess_batch` unless someone overrode `preprocess` below it."""
    from .base import ChunkPipeline

    overridden = "preprocess" in vars(pipeline)
    for owner in type(pipeline).__mro__:
        if overridden or "preprocess_batch" in vars(owner):
            break
        overridden = "preprocess" in vars(owner)
    if not overridden:
        return pipeline.preprocess_batch(items, **params)
    if isinstance(pipeline, ChunkPipeline):
        return [list(pipeline.preprocess(item, **params)) for item in items]
    return [[pipeline.preprocess(item, **params)] for item in items]


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an exception says that a device's or the machine's memory is exhausted."""
    if isinstance(error, (MemoryError, torch.cuda.OutOfMemoryError)):
        return True
    text = str(error).lower()
    return any(
        sign in text
        for sign in ("out of memory", "can't allocate memory", "not enough memory", "alloc_failed", "cannot allocate")
    )


def _padded_shape(shape: torch.Size, length: int) -> tuple[int, ...]:
    """The shape, with the axis that padding can lengthen left out (marked by -1)."""
    if length and len(shape) in (2, 3) and shape[1] == length:
        return (shape[0], -1, *shape[2:])
    return tuple(shape)
