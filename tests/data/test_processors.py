"""Processors of GLUE, XNLI and SQuAD against the reference (tests/golden/make_data.py), and what they refuse."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path
from typing import Any

import pytest

from isoform import (
    DataProcessor,
    InputExample,
    InputFeatures,
    SingleSentenceClassificationProcessor,
    SquadExample,
    SquadFeatures,
    SquadV1Processor,
    glue_compute_metrics,
    glue_convert_examples_to_features,
    squad_convert_examples_to_features,
    xnli_compute_metrics,
)
from isoform.data.processors.glue import MrpcProcessor
from isoform.data.processors.squad import SquadProcessor
from isoform.data.processors.xnli import XnliProcessor

from . import processor_cases as cases

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "data.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", [name for name in cases.CASES if "metrics" not in name])
def test_golden(name: str, tmp_path: Path) -> None:
    assert json.loads(json.dumps(cases.plain(cases.CASES[name](tmp_path)))) == GOLDEN[name]


def test_metrics(tmp_path: Path) -> None:
    found = cases.metrics(tmp_path)
    assert found.keys() == GOLDEN["metrics"].keys()
    for task, scores in GOLDEN["metrics"].items():
        assert found[task] == pytest.approx(scores, abs=1e-9), task


def test_squad_metrics(tmp_path: Path) -> None:
    for found, expected in zip(cases.squad_metrics(tmp_path), GOLDEN["squad metrics"], strict=True):
        assert found == pytest.approx(expected, abs=1e-9)


def test_metrics_refuse() -> None:
    with pytest.raises(ValueError, match="2 predictions but 1 labels"):
        glue_compute_metrics("mrpc", [0, 1], [0])
    with pytest.raises(KeyError, match=r"nope.*mrpc"):
        glue_compute_metrics("nope", [0], [0])
    with pytest.raises(KeyError, match=r"mrpc.*xnli"):
        xnli_compute_metrics("mrpc", [0], [0])
    with pytest.raises(ValueError, match="found 2"):
        glue_compute_metrics("mrpc", [0, 2], [0, 1])
    assert math.isnan(glue_compute_metrics("sts-b", [1.0, 1.0], [0.0, 1.0])["pearson"])


@pytest.mark.parametrize("kind", ["slow", "fast"])
def test_fast_tokenizers_give_the_same(kind: str, tmp_path: Path) -> None:
    """Where the reference takes slow tokenizers alone."""
    golden = GOLDEN["glue features slow"]
    tokenizer = cases.make_tokenizer(kind, tmp_path)
    texts = [InputExample("a", "the cat", None, "1"), InputExample("b", "a", None)]
    assert cases.plain(glue_convert_examples_to_features(texts, tokenizer, 6, "cola")) == golden["texts"]
    found = cases.squad_features(kind)(tmp_path)
    assert json.loads(json.dumps(cases.plain(found))) == GOLDEN["squad features slow"]


def test_processes_share_the_work(tmp_path: Path) -> None:
    tokenizer = cases.make_tokenizer("slow", tmp_path)
    examples = [SquadExample(str(i), "who sat ?", "the cat sat on the mat", "cat", 4, "") for i in range(70)]
    alone, shared = (
        squad_convert_examples_to_features(examples, tokenizer, 12, 3, 5, True, threads=threads, tqdm_enabled=False)
        for threads in (1, 2)
    )
    assert cases.plain(shared) == cases.plain(alone)
    assert len({one.unique_id for one in alone if isinstance(one, SquadFeatures)}) == len(alone)


def test_glue_refuses(tmp_path: Path) -> None:
    tokenizer = cases.make_tokenizer("slow", tmp_path)
    pair = [InputExample("a", "the cat", "a dog", "7")]
    with pytest.raises(KeyError, match=r"'7'.*'0', '1'"):
        glue_convert_examples_to_features(pair, tokenizer, 8, "mrpc")
    with pytest.raises(KeyError, match=r"nope.*cola"):
        glue_convert_examples_to_features(pair, tokenizer, 8, "nope")
    with pytest.raises(TypeError, match="label_list"):
        glue_convert_examples_to_features(pair, tokenizer, 8)
    with pytest.raises(KeyError, match="xx"):
        glue_convert_examples_to_features(pair, tokenizer, 8, label_list=["7"], output_mode="xx")
    (tmp_path / "train.tsv").write_text("head\n1\t2\t3\n")
    with pytest.raises(IndexError, match=r"train\.tsv: row 1 has 3 columns, expected 5"):
        MrpcProcessor().get_train_examples(str(tmp_path))


@pytest.mark.parametrize("split", ["train", "dev", "test"])
def test_what_a_processor_lacks(split: str) -> None:
    with pytest.raises(NotImplementedError, match="DataProcessor"):
        getattr(DataProcessor(), f"get_{split}_examples")("folder")
    with pytest.raises(NotImplementedError, match="XnliProcessor"):
        XnliProcessor("de").get_dev_examples("folder")


def test_features_are_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        InputFeatures([1]).label = 3  # type: ignore[misc]


def test_single_texts_refuse(tmp_path: Path) -> None:
    tokenizer = cases.make_tokenizer("slow", tmp_path)
    make = SingleSentenceClassificationProcessor
    with pytest.raises(ValueError, match="2 texts but 1 labels"):
        make.create_from_examples(["a", "b"], ["x"])
    with pytest.raises(ValueError, match="1 texts but 2 ids"):
        make().add_examples(["a"], ["x"], ["i", "j"])
    with pytest.raises(ValueError, match="return_tensors"):
        make.create_from_examples(["a"]).get_features(tokenizer, return_tensors="zz")
    with pytest.raises(RuntimeError, match="pt"):
        make.create_from_examples(["a"]).get_features(tokenizer, return_tensors="tf")
    with pytest.raises(ValueError, match="rr"):
        make.create_from_examples(["a"], mode="rr").get_features(tokenizer)
    with pytest.raises(ValueError, match="no examples"):
        make().get_features(tokenizer)
    (tmp_path / "x.csv").write_text("a\tb\nc\n")
    with pytest.raises(IndexError, match=r"x\.csv: row 2 has 1 columns"):
        make.create_from_csv(str(tmp_path / "x.csv"))


def test_labels_keep_their_order() -> None:
    processor = SingleSentenceClassificationProcessor.create_from_examples(["a", "b", "c"], ["z", "b", "z"])
    processor.add_examples(["d", "e"], ["a", "b"])
    assert processor.labels == ["z", "b", "a"]


def squad(tmp_path: Path, length: int = 16, stride: int = 4, **options: Any) -> Any:
    example = SquadExample("q", "who sat ?", "the cat sat on the mat", "cat", 4, "")
    tokenizer = options.pop("tokenizer", None) or cases.make_tokenizer("slow", tmp_path)
    return squad_convert_examples_to_features([example], tokenizer, length, stride, 6, True, **options)


def test_squad_refuses(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="SquadV1Processor or SquadV2Processor"):
        SquadProcessor().get_train_examples(str(tmp_path))
    with pytest.raises(FileNotFoundError, match=r"dev-v1\.1\.json"):
        SquadV1Processor().get_dev_examples(str(tmp_path))
    (tmp_path / "dev-v1.1.json").write_text('{"data": [{"title": "t"}]}')
    with pytest.raises(ValueError, match=r"dev-v1\.1\.json: .*paragraphs"):
        SquadV1Processor().get_dev_examples(str(tmp_path))
    with pytest.raises(ValueError, match=r"max_seq_length=6 leaves no room .* 3 tokens and 3 special"):
        squad(tmp_path, length=6)
    with pytest.raises(ValueError, match="doc_stride should be at least 1"):
        squad(tmp_path, stride=0)
    with pytest.raises(RuntimeError, match="pt"):
        squad(tmp_path, return_dataset="tf")
    tokenizer = cases.make_tokenizer("slow", tmp_path)
    tokenizer.cls_token = "[MASK]"
    tokenizer.build_inputs_with_special_tokens = lambda first, second=None: first + (second or [])
    with pytest.raises(ValueError, match="no classification token"):
        squad(tmp_path, tokenizer=tokenizer)
