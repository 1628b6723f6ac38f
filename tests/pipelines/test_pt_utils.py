"""Datasets, iterators and collation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch

from isoform.pipelines.base import no_collate_fn, pad_collate_fn
from isoform.pipelines.pt_utils import (
    KeyDataset,
    KeyPairDataset,
    PipelineChunkIterator,
    PipelineDataset,
    PipelineIterator,
    PipelinePackIterator,
)
from tests.golden.pipeline_cases import word_tokenizer


def add(number: int, extra: int = 0) -> int:
    return number + extra


def add_all(batch: dict[str, Any], extra: int = 0) -> dict[str, Any]:
    return {**batch, "id": [number + extra for number in batch["id"]]}


def same(batch: Any) -> Any:
    return batch


def test_dataset() -> None:
    dataset = PipelineDataset([0, 1, 2], add, {"extra": 2})
    assert len(dataset) == 3
    assert [dataset[index] for index in range(3)] == [2, 3, 4]


def test_keys() -> None:
    items = [{"a": 1, "b": 2}, {"a": 3, "b": 4}]
    assert (len(KeyDataset(items, "a")), KeyDataset(items, "a")[1]) == (2, 3)
    assert (len(KeyPairDataset(items, "a", "b")), KeyPairDataset(items, "a", "b")[1]) == (
        2,
        {"text": 3, "text_pair": 4},
    )


def test_iterator_runs_again_and_has_the_length_of_its_loader() -> None:
    iterator = PipelineIterator([0, 1, 2], add, {"extra": 2})
    assert len(iterator) == 3
    assert list(iterator) == list(iterator) == [2, 3, 4]
    assert next(PipelineIterator([0], add, {})) == 0
    with pytest.raises(TypeError):
        len(PipelineIterator(iter([0]), add, {}))


def test_batches_are_unrolled() -> None:
    batches = [{"id": [0, 1, 2]}, {"id": [3]}]
    assert list(PipelineIterator(batches, add_all, {"extra": 2}, loader_batch_size=3)) == [
        {"id": 2},
        {"id": 3},
        {"id": 4},
        {"id": 5},
    ]


def test_tensors_keep_a_batch_axis() -> None:
    batch = {"x": torch.arange(6).reshape(3, 2), "layers": (torch.zeros(3, 4), torch.ones(3, 4)), "none": None}
    rows = list(PipelineIterator([batch], same, {}, loader_batch_size=3))
    assert [row["x"].tolist() for row in rows] == [[[0, 1]], [[2, 3]], [[4, 5]]]
    assert [layer.shape for layer in rows[0]["layers"]] == [(1, 4), (1, 4)]
    assert rows[0]["none"] is None
    assert [row.tolist() for row in PipelineIterator([batch["x"]], same, {}, loader_batch_size=3)] == [
        [0, 1],
        [2, 3],
        [4, 5],
    ]


def test_chunks_are_flattened_and_packed() -> None:
    def pieces(count: int) -> Iterator[dict[str, Any]]:
        for index in range(count):
            yield {"id": index, "is_last": index == count - 1}

    flat = list(PipelineChunkIterator([2, 1], pieces, {}))
    assert flat == [{"id": 0, "is_last": False}, {"id": 1, "is_last": True}, {"id": 0, "is_last": True}]
    assert list(PipelinePackIterator(flat, same, {})) == [[{"id": 0}, {"id": 1}], [{"id": 0}]]


def test_pieces_are_packed_across_batches() -> None:
    batches = [{"id": [0, 1, 2], "is_last": [False, True, False]}, {"id": [3], "is_last": [True]}]
    packed = PipelinePackIterator(batches, add_all, {"extra": 2}, loader_batch_size=3)
    assert list(packed) == [[{"id": 2}, {"id": 3}], [{"id": 4}, {"id": 5}]]


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    import isoform

    return word_tokenizer(isoform)


def _item(length: int, **more: Any) -> dict[str, Any]:
    ids = torch.arange(1, length + 1)[None]
    return {
        "input_ids": ids,
        "attention_mask": torch.ones_like(ids),
        "special_tokens_mask": torch.zeros_like(ids),
        **more,
    }


def test_padding_values(tokenizer: Any) -> None:
    batch = pad_collate_fn(tokenizer, None)([_item(2, name="x"), _item(3, name="y")])
    assert batch["input_ids"].tolist() == [[1, 2, tokenizer.pad_token_id], [1, 2, 3]]
    assert batch["attention_mask"].tolist() == [[1, 1, 0], [1, 1, 1]]
    assert batch["special_tokens_mask"].tolist() == [[0, 0, 1], [0, 0, 0]]
    assert batch["name"] == ["x", "y"]


def test_padding_side() -> None:
    import isoform

    left = word_tokenizer(isoform, padding_side="left")
    assert pad_collate_fn(left, None)([_item(1), _item(2)])["input_ids"].tolist() == [[0, 1], [1, 2]]


def test_vectors_for_each_token_are_padded(tokenizer: Any) -> None:
    items = [{"boxes": torch.ones(1, 2, 4)}, {"boxes": torch.ones(1, 3, 4)}]
    batch = pad_collate_fn(tokenizer, None)(items)
    assert batch["boxes"].shape == (2, 3, 4)
    assert batch["boxes"][0, 2].tolist() == [0, 0, 0, 0]


def test_collation_errors(tokenizer: Any) -> None:
    import isoform

    with pytest.raises(ValueError, match="different keys"):
        pad_collate_fn(tokenizer, None)([_item(1), _item(1, more=1)])
    with pytest.raises(ValueError, match="without tokenizer or feature_extractor"):
        pad_collate_fn(None, None)
    with pytest.raises(ValueError, match="without pad_token"):
        pad_collate_fn(word_tokenizer(isoform, pad_token=None), None)
    with pytest.raises(ValueError, match="batch_size=1"):
        no_collate_fn([1, 2])
    assert no_collate_fn([1]) == 1
