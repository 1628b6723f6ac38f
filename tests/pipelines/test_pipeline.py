"""Building pipelines: tasks, models, tokenizers, devices, registration, saving."""

from __future__ import annotations

import json
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch

import isoform
from isoform import pipeline, pipelines
from isoform.pipelines import base, factory
from isoform.pipelines.registry import PipelineRegistry
from tests.golden.pipeline_cases import CALLS, PIPELINES, TEXTS, plain, word_tokenizer

from .compare import difference


@pytest.fixture(scope="module")
def classify() -> Any:
    return PIPELINES["classify"](isoform)


@pytest.fixture(scope="module")
def folder(classify: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("classifier")
    classify.save_pretrained(path)
    return path


def test_importing_pipelines_loads_no_torch() -> None:
    code = "import sys; from isoform import pipeline; import isoform.pipelines; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_public_names() -> None:
    for task in pipelines.TASKS.values():
        assert getattr(isoform, task.class_name) is getattr(pipelines, task.class_name)
    assert isoform.NerPipeline is isoform.TokenClassificationPipeline
    assert pipelines.pt_utils.KeyDataset is base.KeyDataset
    assert "PIPELINE_REGISTRY" not in dir(isoform)
    for name in ("PIPELINE_REGISTRY", "SUPPORTED_TASKS", "ArgumentHandler", "PipelineException", "AggregationStrategy"):
        assert getattr(pipelines, name) is not None


def test_tasks() -> None:
    names = pipelines.get_supported_tasks()
    assert names == sorted(names)
    assert {"ner", "sentiment-analysis", "text-generation", "question-answering"} <= set(names)
    name, entry, options = pipelines.check_task("sentiment-analysis")
    assert (name, options) == ("text-classification", None)
    assert entry["impl"] is isoform.TextClassificationPipeline
    assert entry["pt"] == (isoform.AutoModelForSequenceClassification,)
    assert entry["default"]["model"]["pt"] == ("distilbert-base-uncased-finetuned-sst-2-english", "af0f99b")
    with pytest.raises(KeyError, match="Unknown task foo, available tasks are"):
        pipelines.check_task("foo")
    with pytest.raises(KeyError, match="translation_XX_to_YY"):
        pipelines.check_task("translation_en")


def test_saved_pipeline_loads(classify: Any, folder: Path) -> None:
    loaded = pipeline("text-classification", model=str(folder))
    assert difference(plain(loaded(TEXTS)), plain(classify(TEXTS))) is None
    assert loaded.task == "text-classification"
    assert (loaded.framework, loaded.device) == ("pt", torch.device("cpu"))
    assert not loaded.model.training
    assert isinstance(pipeline("sentiment-analysis", model=folder), isoform.TextClassificationPipeline)


def test_task_is_taken_from_the_model(folder: Path) -> None:
    assert isinstance(pipeline(model=folder), isoform.TextClassificationPipeline)
    for name, pipe_class in (("ner", "TokenClassificationPipeline"), ("features", "FeatureExtractionPipeline")):
        built = PIPELINES[name](isoform)
        found = pipeline(model=built.model, tokenizer=built.tokenizer)
        assert type(found) is getattr(isoform, pipe_class)
    with pytest.raises(RuntimeError, match="DoubleHeads"):
        pipeline(model=isoform.GPT2DoubleHeadsModel(isoform.GPT2Config(n_embd=4, n_head=1, n_layer=1, vocab_size=9)))


def test_parts_may_be_named_or_given(classify: Any, folder: Path) -> None:
    expected = plain(classify(TEXTS[0]))
    for tokenizer in (str(folder), (str(folder), {"padding_side": "left"}), classify.tokenizer):
        built = pipeline("text-classification", model=classify.model, tokenizer=tokenizer)
        assert difference(plain(built(TEXTS[0])), expected) is None
    assert built.tokenizer is classify.tokenizer
    assert pipeline("text-classification", model=str(folder), config=str(folder)).model.config.num_labels == 3
    typed = pipeline("text-classification", model=str(folder), torch_dtype="bfloat16")
    assert typed.model.dtype == torch.bfloat16


class Own(isoform.TextClassificationPipeline):
    """A pipeline of a user's."""

    def postprocess(self, model_outputs: Any, **kwargs: Any) -> Any:
        return {"own": super().postprocess(model_outputs, **kwargs)["label"]}


def test_pipeline_class(classify: Any, folder: Path) -> None:
    assert pipeline(model=str(folder), pipeline_class=Own)("the cat")[0].keys() == {"own"}
    built = pipeline("anything", model=classify.model, tokenizer=classify.tokenizer, pipeline_class=Own)
    assert type(built) is Own
    assert built(TEXTS[:1]) == [{"own": classify(TEXTS[0])[0]["label"]}]


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ({}, RuntimeError, "pass `task`, `model`, or both"),
        ({"task": "foo"}, KeyError, "Unknown task foo"),
        ({"task": "ner", "tokenizer": "x"}, RuntimeError, "A tokenizer without a model"),
        ({"task": "ner", "feature_extractor": "x"}, RuntimeError, "A feature_extractor without a model"),
        ({"task": "ner", "model": "/nowhere/model"}, OSError, "/nowhere/model"),
        ({"task": "ner", "device_map": "auto", "model_kwargs": {"device_map": "auto"}}, ValueError, "device_map"),
        ({"task": "ner", "torch_dtype": "auto", "model_kwargs": {"torch_dtype": "auto"}}, ValueError, "torch_dtype"),
        ({"torch_dtype": "float17"}, ValueError, "float17"),
        ({"framework": "tf"}, ValueError, "framework"),
        ({"device": "abacus"}, RuntimeError, "abacus"),
    ],
)
def test_errors(arguments: dict[str, Any], error: type[Exception], text: str, folder: Path) -> None:
    if arguments and not {"tokenizer", "feature_extractor"} & set(arguments) and arguments.get("task") != "foo":
        arguments = {"task": "text-classification", "model": str(folder), **arguments}
    with pytest.raises(error, match=text):
        pipeline(**arguments)


def test_model_object_needs_a_tokenizer(classify: Any) -> None:
    with pytest.raises(ValueError, match="Impossible to guess which tokenizer"):
        pipeline("text-classification", model=classify.model)


def test_wrong_head_is_reported(classify: Any) -> None:
    messages = _errors_of(lambda: pipeline("token-classification", model=classify.model, tokenizer=classify.tokenizer))
    assert "The pipeline token-classification may not work with GPT2ForSequenceClassification" in messages


def _errors_of(action: Any) -> str:
    import logging

    records: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: records.append(record.getMessage())  # type: ignore[method-assign]
    isoform.logging.add_handler(handler)
    try:
        action()
    finally:
        isoform.logging.remove_handler(handler)
    return "\n".join(records)


def test_training_mode_is_left_as_it_was(classify: Any) -> None:
    model = isoform.GPT2ForSequenceClassification(classify.model.config)
    pipe = pipeline("text-classification", model=model, tokenizer=classify.tokenizer)
    model.train()
    model.transformer.h[0].eval()
    assert pipe(TEXTS[0]) == pipe(TEXTS[0])  # no dropout
    assert model.training
    assert not model.transformer.h[0].training


def test_generators_iterators_and_scikit_methods(classify: Any) -> None:
    expected = classify(TEXTS)
    assert list(classify(text for text in TEXTS)) == expected
    assert difference(list(classify(iter(TEXTS), batch_size=2)), expected) is None
    assert classify.transform(TEXTS) == classify.predict(TEXTS) == expected
    params = classify._sanitize_parameters()
    assert classify.run_multi(TEXTS, *params) == list(classify.iterate(TEXTS, *params)) == expected


def test_results_of_a_dataset_have_its_length(classify: Any) -> None:
    texts = pipelines.KeyDataset([{"text": text} for text in TEXTS], "text")
    assert len(classify(texts, batch_size=3)) == len(list(classify(texts, batch_size=3))) == 4
    assert len(PIPELINES["ner"](isoform)(texts)) == 4


def test_workers(classify: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TOKENIZERS_PARALLELISM", raising=False)
    assert classify(TEXTS, num_workers=1, batch_size=2) == classify(TEXTS, batch_size=2)


@pytest.mark.parametrize("batch_size", [0, -1, "many", 1.5])
def test_batch_size_is_checked(classify: Any, batch_size: Any) -> None:
    with pytest.raises(ValueError, match="batch_size"):
        classify(TEXTS, batch_size=batch_size)


def test_fixed_batches_need_a_padding_token(classify: Any) -> None:
    pipe = pipeline("text-classification", model=classify.model, tokenizer=word_tokenizer(isoform, pad_token=None))
    assert len(pipe(TEXTS)) == 4
    with pytest.raises(ValueError, match="pad_token"):
        pipe(TEXTS, batch_size=2)


def test_tensors_move_to_the_device(classify: Any) -> None:
    output = isoform.modeling_outputs.CausalLMOutput(logits=torch.zeros(1))
    moved = classify.ensure_tensor_on_device(
        a=torch.ones(1), b=[torch.ones(1), "x"], c={"d": (torch.ones(1),)}, e=output
    )
    assert moved["b"][1] == "x"
    assert isinstance(moved["e"], isoform.modeling_outputs.CausalLMOutput)
    meta = classify._ensure_tensor_on_device(moved, torch.device("meta"))
    assert meta["b"][0].device.type == meta["c"]["d"][0].device.type == meta["e"].logits.device.type == "meta"


def test_model_spread_over_devices_is_not_moved(classify: Any) -> None:
    model = isoform.GPT2ForSequenceClassification(classify.model.config).eval()
    model.hf_device_map = {"": "cpu"}
    assert isoform.TextClassificationPipeline(model=model, tokenizer=classify.tokenizer).device == torch.device("cpu")
    with pytest.raises(ValueError, match="cannot be moved"):
        isoform.TextClassificationPipeline(model=model, tokenizer=classify.tokenizer, device=-1)


def test_registration(classify: Any) -> None:
    registry = PipelineRegistry({}, {"alias": "own"})
    registry.register_pipeline("own", Own, pt_model=isoform.AutoModel, default={"pt": ("a", "b")}, type="text")
    entry = {
        "impl": Own,
        "pt": (isoform.AutoModel,),
        "tf": (),
        "default": {"model": {"pt": ("a", "b")}},
        "type": "text",
    }
    assert registry.check_task("alias") == ("own", entry, None)
    assert registry.to_dict() == {"own": entry}
    assert registry.get_supported_tasks() == ["alias", "own"]
    with pytest.warns(UserWarning, match="already registered"):
        registry.register_pipeline("own", Own, default={"model": {"pt": ("x", "y")}})
    assert registry.to_dict()["own"] == {"impl": Own, "pt": (), "tf": (), "default": {"model": {"pt": ("x", "y")}}}
    del Own._registered_impl  # type: ignore[attr-defined]


def test_registered_pipeline_is_built_saved_and_not_run_unasked(classify: Any, tmp_path: Path) -> None:
    registry = pipelines.PIPELINE_REGISTRY
    registry.register_pipeline("own-task", Own, pt_model=isoform.AutoModelForSequenceClassification, type="text")
    try:
        built = pipeline("own-task", model=classify.model, tokenizer=classify.tokenizer)
        built.save_pretrained(tmp_path)
        custom = json.loads((tmp_path / "config.json").read_text())["custom_pipelines"]
        assert custom["own-task"]["impl"] == "test_pipeline.Own"
        assert custom["own-task"]["pt"] == ["AutoModelForSequenceClassification"]
        assert (tmp_path / "test_pipeline.py").is_file()
        assert type(pipeline("own-task", model=str(tmp_path))) is Own  # known here, so no code of the folder is needed
    finally:
        del registry.supported_tasks["own-task"], Own._registered_impl
        classify.model.config.__dict__.pop("custom_pipelines", None)
    (tmp_path / "test_pipeline.py").write_text(f"open({str(tmp_path / 'executed')!r}, 'w')\n")
    for trust in (None, False):
        with pytest.raises(ValueError, match="trust_remote_code"):
            pipeline(model=str(tmp_path), trust_remote_code=trust)
    assert not (tmp_path / "executed").exists()


def test_code_of_a_folder_runs_when_trusted(classify: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_MODULES_CACHE", str(tmp_path / "modules"))
    classify.save_pretrained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    config["custom_pipelines"] = {"own-task": {"impl": "code.Brought", "pt": ["AutoModelForSequenceClassification"]}}
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "code.py").write_text(
        "from isoform import TextClassificationPipeline\nclass Brought(TextClassificationPipeline): ...\n"
    )
    built = pipeline(model=str(tmp_path), trust_remote_code=True)
    assert type(built).__name__ == "Brought"
    assert difference(plain(built(TEXTS)), plain(classify(TEXTS))) is None


def test_options_of_the_task_reach_the_model() -> None:
    built = PIPELINES["generate_task_options"](isoform)
    assert built.model.generation_config.max_length == built.model.config.max_length == 14


def test_default_models() -> None:
    entry = pipelines.SUPPORTED_TASKS["text-generation"]
    assert pipelines.get_default_model_and_revision(entry, None, None) == ("gpt2", "6c0e608")
    translation = {"default": {("en", "fr"): {"model": {"pt": ("t5-base", "686f1db")}}}}
    assert pipelines.get_default_model_and_revision(translation, "pt", ("en", "fr")) == ("t5-base", "686f1db")
    with pytest.raises(ValueError, match="options"):
        pipelines.get_default_model_and_revision(translation, "pt", ("xx", "fr"))
    with pytest.raises(ValueError, match="translation_XX_to_YY"):
        pipelines.get_default_model_and_revision(translation, "pt", None)
    with pytest.raises(RuntimeError, match="without specifying its implementation"):
        pipelines.clean_custom_task({"pt": "AutoModel"})
    assert pipelines.clean_custom_task({"impl": "x.Y", "pt": "AutoModel"})[0]["pt"] == (isoform.AutoModel,)


def test_task_of_the_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub

    class Info:
        pipeline_tag, library_name = "text-generation", "transformers"

    monkeypatch.setattr("isoform.utils.is_offline_mode", lambda: False)
    monkeypatch.setattr(huggingface_hub, "model_info", lambda model, token=None: Info)
    assert factory.get_task("someone/model") == "text-generation"
    monkeypatch.setattr(Info, "library_name", "timm")
    with pytest.raises(RuntimeError, match="timm"):
        factory.get_task("someone/model")
    monkeypatch.setattr(Info, "pipeline_tag", None)
    with pytest.raises(RuntimeError, match="pipeline_tag"):
        factory.get_task("someone/model")
    monkeypatch.setattr("isoform.utils.is_offline_mode", lambda: True)
    with pytest.raises(RuntimeError, match="offline"):
        factory.get_task("someone/model")


def test_load_failure_names_every_class(tmp_path: Path, classify: Any) -> None:
    classify.model.config.save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="AutoModelForCausalLM") as caught:
        pipeline("text-generation", model=str(tmp_path))
    assert "GPT2ForSequenceClassification" in str(caught.value)


def test_slow_tokenizer_answers_questions(tmp_path: Path) -> None:
    fast = PIPELINES["qa_bytes"](isoform)
    vocab = fast.tokenizer.get_vocab()
    (tmp_path / "vocab.json").write_text(json.dumps(vocab))
    (tmp_path / "merges.txt").write_text("#version: 0.2\nh e\nĠ t\nĠt he\n")
    slow = isoform.GPT2Tokenizer(
        str(tmp_path / "vocab.json"),
        str(tmp_path / "merges.txt"),
        unk_token="<end>",
        eos_token="<end>",
        bos_token="<end>",
    )
    slow.model_max_length = 96
    pipe = pipeline("question-answering", model=fast.model, tokenizer=slow)
    context = "john smith  ran to the old town . " * 4
    answers = pipe("who ran ?", context, top_k=3, doc_stride=20, max_seq_len=48)
    assert len(answers) == 3
    for answer in answers:
        words = context[answer["start"] : answer["end"]].split()
        assert answer["answer"] == " ".join(words)
        assert answer["score"] > 0


def test_span_to_answer() -> None:
    pipe = PIPELINES["qa"](isoform)
    text = "john smith ran in paris johnoh cat"
    expected = {
        (0, 0): ("john", 0, 4),
        (1, 2): ("smith ran", 5, 14),
        (3, 5): ("in paris johnoh", 15, 30),
        (0, 9): (text, 0, 0),
    }
    for (start, end), (answer, first, last) in expected.items():
        assert pipe.span_to_answer(text, start, end) == {"answer": answer, "start": first, "end": last}


def test_warnings_of_old_arguments() -> None:
    pipe = PIPELINES["ner"](isoform)
    with pytest.warns(UserWarning, match="grouped_entities"):
        pipe("john", grouped_entities=True)
    with pytest.warns(UserWarning, match="return_all_scores"):
        PIPELINES["classify"](isoform)("john", return_all_scores=True)
    with pytest.warns(UserWarning, match="topk"):
        PIPELINES["qa"](isoform)(**{**CALLS["qa"][2], "topk": 2})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pipe("john", aggregation_strategy="simple")
