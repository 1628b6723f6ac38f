"""`batch_size="auto"`: order, packing, windows, memory, and pipelines of users' own."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch.utils.data import Dataset

import isoform
from isoform.pipelines import auto_batch
from isoform.pipelines.base import ChunkPipeline, Pipeline
from tests.golden.pipeline_cases import PIPELINES, TEXTS, WORDS, ZOO, plain

from .compare import difference


@pytest.fixture
def classify() -> Any:
    return PIPELINES["classify"](isoform)


def _texts(count: int, shortest: int = 1, longest: int = 40) -> list[str]:
    rng = random.Random(0)
    return [" ".join(rng.choices(WORDS[:20], k=rng.randint(shortest, longest))) for _ in range(count)]


class Recorder:
    """Records the shapes of the batches that reach a pipeline's model; raises where told to."""

    def __init__(self, pipe: Pipeline, most_tokens: int | None = None, error: str = "CUDA out of memory.") -> None:
        self.shapes: list[tuple[int, int]] = []
        self.run, self.most_tokens, self.error = pipe._forward, most_tokens, error
        pipe._forward = self  # type: ignore[method-assign]

    def __call__(self, inputs: dict[str, Any], **params: Any) -> Any:
        rows, length = inputs["input_ids"].shape
        self.shapes.append((rows, length))
        if self.most_tokens is not None and rows * length > self.most_tokens:
            raise RuntimeError(self.error)
        return self.run(inputs, **params)


def test_results_keep_the_order_of_a_list(classify: Any) -> None:
    texts = _texts(60)
    assert difference(plain(classify(texts, batch_size="auto")), plain(classify(texts, batch_size=1))) is None


def test_batches_stay_within_the_budget_and_hold_little_padding(classify: Any) -> None:
    texts = _texts(200)
    tokens = sum(len(classify.tokenizer(text)["input_ids"]) for text in texts)
    recorder = Recorder(classify)
    classify.token_budget = 256
    classify(texts, batch_size="auto")
    assert sum(rows for rows, _ in recorder.shapes) == 200
    assert max(rows * length for rows, length in recorder.shapes) <= 256
    assert sum(rows * length for rows, length in recorder.shapes) < 1.1 * tokens


def test_constructor_default(classify: Any) -> None:
    pipe = isoform.TextClassificationPipeline(model=classify.model, tokenizer=classify.tokenizer, batch_size="auto")
    recorder = Recorder(pipe)
    pipe(TEXTS)
    assert [rows for rows, _ in recorder.shapes] == [4]


def test_an_input_above_the_budget_runs_alone(classify: Any) -> None:
    recorder = Recorder(classify)
    classify.token_budget = 4
    assert len(classify(_texts(5, 10, 20), batch_size="auto")) == 5
    assert [rows for rows, _ in recorder.shapes] == [1] * 5


def test_generators_are_read_ahead_by_a_bounded_window(classify: Any) -> None:
    taken: list[int] = []

    def source() -> Iterator[str]:
        for index in range(1000):
            taken.append(index)
            yield TEXTS[index % 4]

    results = classify(source(), batch_size="auto")
    assert not taken
    expected = classify(TEXTS)
    assert next(results)["label"] == expected[0]["label"]
    assert len(taken) == auto_batch.FIRST_ITERATOR_WINDOW
    assert [result["label"] for result in results] == [expected[index % 4]["label"] for index in range(1, 1000)]


def test_datasets_have_a_length(classify: Any) -> None:
    class Texts(Dataset):
        def __len__(self) -> int:
            return 4

        def __getitem__(self, index: int) -> str:
            return TEXTS[index]

    results = classify(Texts(), batch_size="auto")
    assert len(results) == 4
    assert [result["label"] for result in results] == [result["label"] for result in classify(TEXTS)]
    assert len(list(results)) == 4  # a second pass


@pytest.mark.parametrize(
    "error",
    ["CUDA out of memory. Tried to allocate 2.00 GiB", "[enforce fail] DefaultCPUAllocator: can't allocate memory"],
)
def test_out_of_memory_shrinks_the_batches(classify: Any, error: str) -> None:
    texts = _texts(64, 20, 30)
    expected = plain(classify(texts))
    recorder = Recorder(classify, most_tokens=100, error=error)
    assert difference(plain(classify(texts, batch_size="auto")), expected) is None
    failed = [shape for shape in recorder.shapes if shape[0] * shape[1] > 100]
    assert 0 < len(failed) < 6  # the budget stays lowered for the batches that follow
    assert 64 <= classify.token_budget <= 128


def test_other_errors_and_hopeless_inputs_are_raised(classify: Any) -> None:
    Recorder(classify, most_tokens=0, error="mat1 and mat2 shapes cannot be multiplied")
    with pytest.raises(RuntimeError, match="mat1"):
        classify(TEXTS, batch_size="auto")
    classify = PIPELINES["classify"](isoform)
    Recorder(classify, most_tokens=0)
    with pytest.raises(RuntimeError, match="out of memory"):
        classify(TEXTS, batch_size="auto")


def test_a_decoder_without_padding_token_is_not_batched(classify: Any) -> None:
    classify.model.config.pad_token_id = None
    recorder = Recorder(classify)
    assert len(classify(TEXTS, batch_size="auto")) == 4
    assert [rows for rows, _ in recorder.shapes] == [1] * 4


def test_pieces_of_several_inputs_share_batches() -> None:
    pipe = PIPELINES["zero_shot"](isoform)
    expected = plain(pipe(TEXTS, ZOO))
    recorder = Recorder(pipe)
    assert difference(plain(pipe(TEXTS, ZOO, batch_size="auto")), expected) is None
    assert [rows for rows, _ in recorder.shapes] == [len(TEXTS) * len(ZOO)]


def test_generation_pads_on_the_left_whatever_the_tokenizer_says() -> None:
    pipe = PIPELINES["generate"](isoform)
    expected = pipe(TEXTS, max_new_tokens=6)
    pipe.tokenizer.padding_side = "right"
    recorder = Recorder(pipe)
    assert pipe(TEXTS, max_new_tokens=6, batch_size="auto") == expected
    assert [rows for rows, _ in recorder.shapes] == [4]


def test_generation_to_a_total_length_batches_equal_prompts_only() -> None:
    pipe = PIPELINES["generate"](isoform)
    texts = ["a dog", "the cat", "john smith ran"]
    expected = pipe(texts, max_length=9, return_tensors=True)
    recorder = Recorder(pipe)
    assert pipe(texts, max_length=9, return_tensors=True, batch_size="auto") == expected
    assert sorted(recorder.shapes) == [(1, 3), (2, 2)]


def test_empty_prompts_run_alone() -> None:
    pipe = PIPELINES["generate"](isoform)
    assert pipe(["", "a dog"], max_new_tokens=3, batch_size="auto") == pipe(["", "a dog"], max_new_tokens=3)


def test_overridden_preprocess_is_used(classify: Any) -> None:
    class Shouting(isoform.TextClassificationPipeline):
        def preprocess(self, inputs: Any, **kwargs: Any) -> Any:
            return super().preprocess(inputs.lower(), **kwargs)

    pipe = Shouting(model=classify.model, tokenizer=classify.tokenizer)
    expected = plain(classify(TEXTS))
    assert difference(plain(pipe([text.upper() for text in TEXTS], batch_size="auto")), expected) is None


class Lengths(Pipeline):
    """A pipeline whose model inputs are no tokens, or not even tensors."""

    def _sanitize_parameters(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        return {}, {}, {}

    def preprocess(self, input_: Any, **kwargs: Any) -> Any:
        return input_

    def _forward(self, input_tensors: Any, **kwargs: Any) -> Any:
        if isinstance(input_tensors, str):
            return {"length": len(input_tensors)}
        return {"length": input_tensors["values"].sum(1, keepdim=True)}

    def postprocess(self, model_outputs: Any, **kwargs: Any) -> int:
        return int(model_outputs["length"])


def test_inputs_without_tokens(classify: Any) -> None:
    pipe = Lengths(model=classify.model)
    assert pipe(["ab", "a", "abc"], batch_size="auto") == [2, 1, 3]
    images = [{"values": torch.full((1, size), 2.0)} for size in (3, 1, 3, 2)]
    assert pipe(images, batch_size="auto") == [6, 2, 6, 4]


class Words(ChunkPipeline):
    """One piece for each word; an empty text has none."""

    _sanitize_parameters = Lengths._sanitize_parameters

    def preprocess(self, input_: str, **kwargs: Any) -> Iterator[dict[str, Any]]:
        words = input_.split()
        for index, word in enumerate(words):
            yield {"values": torch.tensor([[float(len(word))]]), "is_last": index == len(words) - 1}

    def _forward(self, input_tensors: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
        return {"length": input_tensors["values"], "is_last": input_tensors["is_last"]}

    def postprocess(self, model_outputs: list[dict[str, Any]], **kwargs: Any) -> list[int]:
        assert all(set(output) == {"length"} for output in model_outputs)
        return [int(output["length"]) for output in model_outputs]


def test_pieces_come_back_in_order(classify: Any) -> None:
    pipe = Words(model=classify.model)
    assert pipe(["a bcd ef", "", "gh i"], batch_size="auto") == [[1, 3, 2], [], [2, 1]]
    assert pipe("a bcd ef", batch_size="auto") == [1, 3, 2]
