"""What processors of data are asked for, on isoform or on the library that DATA_LIBRARY names.

The golden values come from the same code on top of the reference.
"""

from __future__ import annotations

import importlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

LIBRARY = os.environ.get("DATA_LIBRARY", "isoform")
WORDS = "[PAD] [UNK] [CLS] [SEP] [MASK] the cat sat on mat where did sit ? . a dog ##s ran fast who".split()  # noqa: SIM905
ROBERTA = Path(__file__).parents[1] / "golden" / "tokenizers" / "roberta"
TASKS = ("cola", "mnli", "mnli-mm", "mrpc", "sst-2", "sts-b", "qqp", "qnli", "rte", "wnli")
SQUAD = {
    "version": "2.0",
    "data": [
        {
            "title": "Cats",
            "paragraphs": [
                {
                    "context": "the cat sat on  the mat . a dogs ran\u202ffast",
                    "qas": [
                        {
                            "id": "q1",
                            "question": "where did the cat sit ?",
                            "answers": [{"text": "the mat", "answer_start": 16}, {"text": "mat", "answer_start": 20}],
                            "is_impossible": False,
                        },
                        {"id": "q2", "question": "who sat ?", "answers": [{"text": "dog", "answer_start": 28}]},
                        {"id": "q3", "question": "who ?", "answers": [], "is_impossible": True},
                        {"id": "q4", "question": "who ran ?", "answers": [{"text": "fox", "answer_start": 28}]},
                    ],
                }
            ],
        }
    ],
}


def load(path: str) -> Any:
    return importlib.import_module(f"{LIBRARY}.{path}" if path else LIBRARY)


def make_tokenizer(kind: str, folder: Path) -> Any:
    """A tokenizer of a kind: slow or fast BERT, one that pads on the left, or slow RoBERTa."""
    top = load("")
    if kind == "roberta":
        return top.RobertaTokenizer(str(ROBERTA / "vocab.json"), str(ROBERTA / "merges.txt"), model_max_length=60)
    vocab = folder / "vocab.txt"
    vocab.write_text("\n".join(WORDS), encoding="utf-8")
    options: dict[str, Any] = {"padding_side": "left"} if kind == "left" else {}
    tokenizer = (top.BertTokenizerFast if kind == "fast" else top.BertTokenizer)(
        str(vocab), model_max_length=40, **options
    )
    if LIBRARY != "isoform":
        tokenizer.max_len = 40  # the reference asks for it under the name it had long ago
    return tokenizer


def plain(value: Any) -> Any:
    """What JSON can hold of a result."""
    if hasattr(value, "tensors"):
        return [{"dtype": str(t.dtype), "values": t.tolist()} for t in value.tensors]
    if isinstance(value, (list, tuple)):
        return [plain(entry) for entry in value]
    if isinstance(value, dict):
        return {str(key): plain(entry) for key, entry in value.items()}
    if hasattr(value, "__dict__"):
        return plain(vars(value))
    return value.item() if hasattr(value, "item") else value


# ---- GLUE and XNLI ----


def write_tables(folder: Path) -> None:
    """Tables of all tasks, with cells that tell their row and column, quotes, and a short row at the end."""
    splits = ("train", "dev", "test", "dev_matched", "dev_mismatched", "test_matched", "test_mismatched")
    for split in splits:
        rows = ["\t".join(f'{split}"{row}.{column} é' for column in range(11)) for row in range(3)]
        (folder / f"{split}.tsv").write_text("\ufeff" + "\n".join(rows) + "\n", encoding="utf-8")
    for path, rows in (
        ("XNLI-MT-1.0/multinli/multinli.train.de.tsv", ["p\th\tl", "a b\tc\tcontradictory", "d\te\tneutral"]),
        ("XNLI-MT-1.0/multinli/multinli.train.en.tsv", ["p\th\tl", "f\tg\tentailment"]),
        (
            "XNLI-1.0/xnli.test.tsv",
            ["l\tg", *(f"{la}\tneutral\t2\t3\t4\t5\tp{la}\th{la}" for la in ("de", "en", "de"))],
        ),
    ):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text("\n".join(rows) + "\n", encoding="utf-8")


def glue_examples(folder: Path) -> Any:
    glue = load("data.processors.glue")
    write_tables(folder)
    found = {}
    for task in TASKS:
        processor = glue.glue_processors[task]()
        for split in ("train", "dev", "test"):
            found[f"{task} {split}"] = getattr(processor, f"get_{split}_examples")(str(folder))
        found[f"{task} labels"] = processor.get_labels()
    return found


def glue_short_rows(folder: Path) -> Any:
    (folder / "train.tsv").write_text("h\nx\n" + "\t".join("abcdef") + "\na\tb\n", encoding="utf-8")
    (folder / "test.tsv").write_text("h\nx\na\tb\tc\n", encoding="utf-8")
    processor = load("data.processors.glue").QqpProcessor()
    return [processor.get_train_examples(str(folder)), processor.get_test_examples(str(folder))]


def glue_tensors(folder: Path) -> Any:
    glue = load("data.processors.glue")
    names = "sentence sentence1 sentence2 question1 question2 premise hypothesis question context"

    def tensor(value: Any) -> Any:
        return SimpleNamespace(numpy=lambda: value)

    entry = {name: tensor(f"{name} é".encode()) for name in names.split()} | {"idx": tensor(5), "label": tensor(1)}
    found = {}
    for task in TASKS:
        processor = glue.glue_processors[task]()
        found[task] = plain(processor.get_example_from_tensor_dict(entry))
        found[f"{task} named"] = plain(processor.tfds_map(processor.get_example_from_tensor_dict(entry)))
    return found


def glue_tables(folder: Path) -> Any:
    processors = load("data.processors")
    return [
        [(task, processor.__name__) for task, processor in processors.glue_processors.items()],
        processors.glue_output_modes,
        processors.glue_tasks_num_labels,
        list(processors.xnli_processors),
        processors.xnli_output_modes,
        processors.xnli_tasks_num_labels,
    ]


def glue_features(kind: str) -> Callable[[Path], Any]:
    def case(folder: Path) -> Any:
        convert = load("data.processors").glue_convert_examples_to_features
        make, tokenizer = load("data.processors").InputExample, make_tokenizer(kind, folder)
        pairs = [make("a", "the cat", "a dog", "0"), make("b", "a dog sat on the mat", "the dog ran fast . who")]
        values = [make("a", "the cat", "a dog", "2.5"), make("b", "the mat", "a dog", "4")]
        found = {
            "pairs": convert(pairs, tokenizer, max_length=9, task="mrpc"),
            "longest": convert(pairs[:1], tokenizer, task="mrpc"),
            "own labels": convert(pairs, tokenizer, 9, label_list=["1", "0"], output_mode="classification"),
            "values": convert(values, tokenizer, 9, "sts-b"),
        }
        if kind != "fast":  # there the reference fails
            found["texts"] = convert([make("a", "the cat", None, "1"), make("b", "a", None)], tokenizer, 6, "cola")
            found["mixed"] = convert([make("a", "the cat", None, "1"), make("b", "a", "dog")], tokenizer, 8, "cola")
        return found

    return case


def xnli_examples(folder: Path) -> Any:
    write_tables(folder)
    make = load("data.processors.xnli").XnliProcessor
    plain_one, other = make("de"), make("de", train_language="en")
    examples = [p.get_train_examples(str(folder)) for p in (plain_one, other)]
    return [*examples, plain_one.get_test_examples(str(folder)), plain_one.get_labels()]


# ---- single texts ----


def single_texts(folder: Path) -> Any:
    """Labels are sorted here: the reference leaves their order to chance."""
    make = load("data.processors").SingleSentenceClassificationProcessor
    (folder / "x.csv").write_text('lab\ttext\tid\nx\tthe "cat\ti1\ny\ta dog\ti2\n', encoding="utf-8")
    csv = str(folder / "x.csv")
    made = {
        "empty": make(),
        "pairs": make.create_from_examples([("the cat", "x"), ["a dog", "y"]]),
        "texts": make.create_from_examples(["a", "b"]),
        "labels": make.create_from_examples(["a", "b"], ["x", "y"], mode="regression", verbose=True),
        "csv": make.create_from_csv(csv),
        "csv columns": make.create_from_csv(csv, "train", column_id=2, skip_first_row=True),
        "csv split": make.create_from_csv(csv, "train", 1, 0, skip_first_row=True, mode="regression"),
    }
    for labels in (False, True):
        for examples in (False, True):
            more = make.create_from_examples(["a", "b"], ["x", "y"])
            more.add_examples(["c"], ["z"], ["k"], overwrite_labels=labels, overwrite_examples=examples)
            made[f"more {labels} {examples}"] = more
    more = make.create_from_examples(["a", "b"], ["x", "w"])
    more.add_examples_from_csv(csv, skip_first_row=True)
    made["more csv"] = more
    for processor in made.values():
        processor.labels = sorted(processor.labels, key=str)
    found = plain(made)
    found["item"] = [len(made["pairs"]), plain(made["pairs"][1]), plain(made["pairs"][:1])]
    return found


def single_features(kind: str) -> Callable[[Path], Any]:
    def case(folder: Path) -> Any:
        make, tokenizer = load("data.processors").SingleSentenceClassificationProcessor, make_tokenizer(kind, folder)
        texts = make(["y", "x"])
        texts.add_examples([("the cat", "x"), ("a dog sat on the mat", "y")])
        texts.labels = ["y", "x"]
        values = make.create_from_examples(["the cat"], ["1.5"], mode="regression")
        return [
            texts.get_features(tokenizer),
            texts.get_features(tokenizer, max_length=5),
            texts.get_features(tokenizer, 100, pad_on_left=True),
            texts.get_features(tokenizer, 5, pad_token=9, mask_padding_with_zero=False),
            texts.get_features(tokenizer, 5, return_tensors="pt"),
            values.get_features(tokenizer, return_tensors="pt"),
            make.create_from_examples(["the cat"]).get_features(tokenizer),
        ]

    return case


def json_strings(folder: Path) -> Any:
    processors = load("data.processors")
    return [
        processors.InputExample("a", "é").to_json_string(),
        processors.InputFeatures([1], [1], None, 2.5).to_json_string(),
    ]


# ---- SQuAD ----


def squad_examples(folder: Path) -> Any:
    squad = load("data.processors.squad")
    for name in ("train-v2.0.json", "dev-v2.0.json", "dev-v1.1.json", "other.json"):
        (folder / name).write_text(json.dumps(SQUAD), encoding="utf-8")
    second = squad.SquadV2Processor()
    return [
        second.get_train_examples(str(folder)),
        second.get_dev_examples(str(folder)),
        squad.SquadV1Processor().get_dev_examples(str(folder)),
        squad.SquadV1Processor().get_train_examples(str(folder), "other.json"),
    ]


def squad_tensors(folder: Path) -> Any:
    class Tensor(SimpleNamespace):
        """As much of a tensor as the reference uses."""

        def numpy(self) -> Any:
            return self.value

    entry = {name: Tensor(value=f"{name} the cat".encode()) for name in ("id", "title", "context", "question")}
    starts = [Tensor(value=12), Tensor(value=8)]
    entry["answers"] = {"text": [Tensor(value=b"cat"), Tensor(value=b"the")], "answer_start": starts}  # type: ignore[assignment]
    processor = load("data.processors.squad").SquadV1Processor()
    dataset = {"train": [entry], "validation": [entry, entry]}
    return [processor.get_examples_from_dataset(dataset, evaluate=evaluate) for evaluate in (False, True)]


def squad_features(kind: str) -> Callable[[Path], Any]:
    def case(folder: Path) -> Any:
        squad, tokenizer = load("data.processors.squad"), make_tokenizer(kind, folder)
        (folder / "dev.json").write_text(json.dumps(SQUAD), encoding="utf-8")
        training = squad.SquadV2Processor().get_train_examples(str(folder), "dev.json")
        evaluation = squad.SquadV2Processor().get_dev_examples(str(folder), "dev.json")
        empty = squad.SquadExample("e", "who ?", "", "", None, "", is_impossible=True)
        long = 14 if kind == "roberta" else 0

        def convert(examples: list[Any], *options: Any, **more: Any) -> Any:
            return squad.squad_convert_examples_to_features(
                examples, tokenizer, options[0] + long, *options[1:], tqdm_enabled=False, **more
            )

        return {
            "training": convert([empty, *training], 16, 4, 6, True),
            "evaluation": convert([*evaluation, empty], 16, 4, 6, False),
            "short question": convert(evaluation, 14, 3, 2 if long == 0 else 6, False, padding_strategy="longest"),
            "gaps": convert(training, 13, 8, 6, True, padding_strategy="do_not_pad"),
            "one window": convert(training, 40, 20, 6, True),
            "training tensors": convert(training, 16, 4, 6, True, return_dataset="pt"),
            "evaluation tensors": convert(evaluation, 16, 4, 6, False, return_dataset="pt"),
            "none": convert([], 16, 4, 6, False),
        }

    return case


# ---- measures ----


def metrics(folder: Path) -> Any:
    import numpy as np

    module = load("data.metrics")
    preds, labels = np.array([0, 1, 1, 0, 1, 1, 0, 0]), np.array([0, 1, 0, 0, 1, 1, 1, 0])
    values, right = np.array([0.5, 2.0, 2.0, 4.5, 1.0, 3.0]), np.array([0.0, 2.5, 1.5, 5.0, 1.5, 1.5])
    found = {task: module.glue_compute_metrics(task, preds, labels) for task in (*TASKS, "hans") if task != "sts-b"}
    found["sts-b"] = module.glue_compute_metrics("sts-b", values, right)
    found["cola constant"] = module.glue_compute_metrics("cola", preds * 0, labels)
    found["cola three"] = module.glue_compute_metrics("cola", preds + (labels == preds) * preds, labels)
    found["mrpc none"] = module.glue_compute_metrics("mrpc", preds * 0, labels)
    found["xnli"] = module.xnli_compute_metrics("xnli", preds, labels)
    return found


def squad_metrics(folder: Path) -> Any:
    make = load("data.processors.squad").SquadExample
    evaluate = load("data.metrics.squad_metrics").squad_evaluate

    def question(name: str, *answers: str) -> Any:
        return make(name, "who ?", "the cat", None, None, "", [{"text": text} for text in answers], not answers)

    examples = [question("a", "The cat", "a dog!"), question("b", "on the mat"), question("c"), question("d")]
    preds = {"a": "dog", "b": "the big mat, on it", "c": "", "d": "cat"}
    probs = {"a": 0.1, "b": 0.6, "c": 0.3, "d": 0.9}
    return [
        evaluate(examples, preds),
        evaluate(examples, preds, probs),
        evaluate(examples, preds, probs, 0.5),
        evaluate(examples[:2], preds, None),
        evaluate([*examples[2:], question("e", "the")], {**preds, "e": "a"}, {**probs, "e": 0.2}, 0.8),
    ]


CASES: dict[str, Callable[[Path], Any]] = {
    "glue examples": glue_examples,
    "glue short rows": glue_short_rows,
    "glue tensors": glue_tensors,
    "glue tables": glue_tables,
    **{f"glue features {kind}": glue_features(kind) for kind in ("slow", "fast", "left")},
    "xnli examples": xnli_examples,
    "single texts": single_texts,
    **{f"single features {kind}": single_features(kind) for kind in ("slow", "fast")},
    "json strings": json_strings,
    "squad examples": squad_examples,
    "squad tensors": squad_tensors,
    **{f"squad features {kind}": squad_features(kind) for kind in ("slow", "left", "roberta")},
    "metrics": metrics,
    "squad metrics": squad_metrics,
}
