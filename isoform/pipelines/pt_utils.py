"""Datasets and iterators that carry items through the stages of a pipeline and unroll batches in between."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import torch
from torch.utils.data import Dataset, IterableDataset


class PipelineDataset(Dataset):
    """A map-style dataset whose items are `process(item, **params)`."""

    def __init__(self, dataset: Any, process: Callable[..., Any], params: dict[str, Any]) -> None:
        self.dataset, self.process, self.params = dataset, process, params

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, i: int) -> Any:
        return self.process(self.dataset[i], **self.params)


def unbatch(value: Any, index: int) -> Any:
    """Row `index` of a batched value; tensors keep a batch axis of one, tuples (one entry per layer) are descended."""
    if value is None:
        return None
    if isinstance(value, torch.Tensor):
        return value[index : index + 1]
    if hasattr(value, "to_legacy_cache"):
        value = value.to_legacy_cache()
    if isinstance(value, tuple):
        return tuple(unbatch(part, index) for part in value)
    row = value[index]
    return row[None] if hasattr(value, "dtype") else row


def batch_length(batch: Any) -> int:
    """How many items the batch holds: the first axis of a tensor, or of the first entry of a dictionary."""
    first = next(iter(batch.values())) if isinstance(batch, Mapping) else batch
    while isinstance(first, tuple):
        first = first[0]
    return first.shape[0] if isinstance(first, torch.Tensor) else len(first)


def unroll(batch: Any) -> Iterator[Any]:
    """The items of a batch, in order. Entries of a dictionary keep a batch axis of one."""
    for index in range(batch_length(batch)):
        if isinstance(batch, Mapping):
            # The type is kept: a ModelOutput stays one.
            make: Callable[[Any], Any] = type(batch)
            yield make({key: unbatch(value, index) for key, value in batch.items()})
        else:
            yield batch[index]


class PipelineIterator(IterableDataset):
    """Applies `infer(item, **params)` to what `loader` yields.

    With `loader_batch_size` above one `loader` yields batches and the results are unrolled into single items.
    """

    def __init__(
        self,
        loader: Iterable[Any],
        infer: Callable[..., Any],
        params: dict[str, Any],
        loader_batch_size: int | None = None,
    ) -> None:
        self.loader, self.infer, self.params = loader, infer, params
        self.loader_batch_size = None if loader_batch_size == 1 else loader_batch_size
        self._running: Iterator[Any] | None = None

    def __len__(self) -> int:
        return len(self.loader)  # type: ignore[arg-type]

    def __iter__(self) -> PipelineIterator:
        self._running = self._run()
        return self

    def __next__(self) -> Any:
        if self._running is None:
            self._running = self._run()
        return next(self._running)

    def _results(self) -> Iterator[Any]:
        for item in self.loader:
            result = self.infer(item, **self.params)
            if self.loader_batch_size is None:
                yield result
            else:
                yield from unroll(result)

    def _run(self) -> Iterator[Any]:
        return self._results()


class PipelineResults(PipelineIterator):
    """The last stage of a pipeline: one result for each of `inputs`."""

    def __init__(self, outputs: Iterable[Any], infer: Callable[..., Any], params: dict[str, Any], inputs: Any) -> None:
        super().__init__(outputs, infer, params)
        self.inputs = inputs

    def __len__(self) -> int:
        return len(self.inputs)


class PipelineChunkIterator(PipelineIterator):
    """As `PipelineIterator`, for an `infer` that returns an iterator: the pieces of all items, flattened."""

    def __len__(self) -> int:
        raise TypeError("the number of pieces is not known before they are made")

    def _run(self) -> Iterator[Any]:
        for item in self.loader:
            yield from self.infer(item, **self.params)


class PipelinePackIterator(PipelineIterator):
    """Undoes `PipelineChunkIterator`: results up to one that says `is_last` are gathered into a list."""

    def _run(self) -> Iterator[Any]:
        pieces: list[Any] = []
        for result in self._results():
            last = result.pop("is_last")
            pieces.append(result)
            if last:
                yield pieces
                pieces = []


class KeyDataset(Dataset):
    """The field `key` of every item of a dataset."""

    def __init__(self, dataset: Any, key: str) -> None:
        self.dataset, self.key = dataset, key

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, i: int) -> Any:
        return self.dataset[i][self.key]


class KeyPairDataset(Dataset):
    """Two fields of every item as a text pair: `{"text": item[key1], "text_pair": item[key2]}`."""

    def __init__(self, dataset: Any, key1: str, key2: str) -> None:
        self.dataset, self.key1, self.key2 = dataset, key1, key2

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, i: int) -> dict[str, Any]:
        item = self.dataset[i]
        return {"text": item[self.key1], "text_pair": item[self.key2]}
