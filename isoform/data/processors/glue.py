"""The tasks of GLUE, from the files that the benchmark publishes."""

from __future__ import annotations

import os
from enum import Enum
from typing import TYPE_CHECKING, Any, NamedTuple

from .utils import DataProcessor, InputExample, InputFeatures, label_index, plain

if TYPE_CHECKING:
    from ...tokenization_utils_base import PreTrainedTokenizerBase

__all__ = [
    "ColaProcessor",
    "MnliMismatchedProcessor",
    "MnliProcessor",
    "MrpcProcessor",
    "OutputMode",
    "QnliProcessor",
    "QqpProcessor",
    "RteProcessor",
    "Sst2Processor",
    "StsbProcessor",
    "WnliProcessor",
    "glue_convert_examples_to_features",
    "glue_output_modes",
    "glue_processors",
    "glue_tasks_num_labels",
]


class OutputMode(Enum):
    """What a task asks for: a class or a value."""

    classification = "classification"
    regression = "regression"


class Columns(NamedTuple):
    """Where the parts of an example are in a row; without a column of identifiers, rows are numbered."""

    text_a: int
    text_b: int | None = None
    label: int | None = None
    guid: int | None = None


class GlueProcessor(DataProcessor):
    """Reads a task of GLUE. What is special about a task is stated by its class.

    Class attributes:
        labels: The labels; `(None,)` for a regression.
        texts: Names of the text or the two texts in *tensorflow_datasets*.
        columns: Where the parts of an example are in the files to train and to choose a model with.
        test_columns: The same for the file to test with, where that differs.
        headed: Whether the files other than that to test with begin with the names of the columns.
        dev, test: Names of the files without their ending; they begin the identifiers of the examples too.
        skips_short_rows: Whether rows that lack columns are left out, because the published files have some.
    """

    labels: tuple[str | None, ...] = ("0", "1")
    texts: tuple[str, ...] = ("sentence1", "sentence2")
    columns: Columns
    test_columns: Columns | None = None
    headed = True
    dev, test = "dev", "test"
    skips_short_rows = False

    def get_example_from_tensor_dict(self, tensor_dict: dict[str, Any]) -> InputExample:
        """The example that an entry of *tensorflow_datasets* holds; its label is the number of the class."""
        first, second = [plain(tensor_dict[name]) for name in self.texts] + [None] * (2 - len(self.texts))
        return InputExample(plain(tensor_dict["idx"]), first, second, str(plain(tensor_dict["label"])))

    def get_train_examples(self, data_dir: str) -> list[InputExample]:
        """The examples of `train.tsv` in `data_dir`."""
        return self._examples(data_dir, "train")

    def get_dev_examples(self, data_dir: str) -> list[InputExample]:
        """The examples of the development file in `data_dir`."""
        return self._examples(data_dir, self.dev)

    def get_test_examples(self, data_dir: str) -> list[InputExample]:
        """The examples of the test file in `data_dir`, without labels."""
        return self._examples(data_dir, self.test)

    def get_labels(self) -> list[str | None]:
        """The labels of the task."""
        return list(self.labels)

    def _examples(self, data_dir: str, split: str) -> list[InputExample]:
        path = os.path.join(data_dir, f"{split}.tsv")
        try:
            return self._create_examples(self._read_tsv(path), split)
        except IndexError as error:
            raise IndexError(f"{path}: {error}") from None

    def _create_examples(self, lines: list[list[str]], set_type: str) -> list[InputExample]:
        """The examples of the rows of a file."""
        testing = set_type == self.test
        columns = (self.test_columns if testing else None) or self.columns
        if testing:
            columns = columns._replace(label=None)
        needed = max(column for column in columns if column is not None)
        examples = []
        for number, row in self._numbered(lines, testing):
            if len(row) > needed:
                examples.append(_example(row, columns, set_type, number))
            elif not self.skips_short_rows:
                raise IndexError(f"row {number} has {len(row)} columns, expected {needed + 1} or more between tabs")
        return examples

    def _numbered(self, lines: list[list[str]], testing: bool) -> list[tuple[int, list[str]]]:
        """The rows and their numbers, without the names of the columns (which count as row 0)."""
        return list(enumerate(lines))[1 if self.headed else 0 :]


def _example(row: list[str], columns: Columns, set_type: str, number: int) -> InputExample:
    name = number if columns.guid is None else row[columns.guid]
    second = None if columns.text_b is None else row[columns.text_b]
    label = None if columns.label is None else row[columns.label]
    return InputExample(f"{set_type}-{name}", row[columns.text_a], second, label)


class MrpcProcessor(GlueProcessor):
    """MRPC: do two sentences say the same?"""

    columns = Columns(text_a=3, text_b=4, label=0)


class MnliProcessor(GlueProcessor):
    """MNLI: does the hypothesis follow from the premise? Development and test texts of the trained genres."""

    labels = ("contradiction", "entailment", "neutral")
    texts = ("premise", "hypothesis")
    columns = Columns(text_a=8, text_b=9, label=-1, guid=0)
    dev, test = "dev_matched", "test_matched"


class MnliMismatchedProcessor(MnliProcessor):
    """MNLI with development and test texts of other genres than the trained ones."""

    dev, test = "dev_mismatched", "test_mismatched"


class ColaProcessor(GlueProcessor):
    """CoLA: is a sentence good English?"""

    texts = ("sentence",)
    columns, test_columns = Columns(text_a=3, label=1), Columns(text_a=1)

    def _numbered(self, lines: list[list[str]], testing: bool) -> list[tuple[int, list[str]]]:
        # Only the test file names its columns, and its numbers begin behind that row.
        return list(enumerate(lines[1:] if testing else lines))


class Sst2Processor(GlueProcessor):
    """SST-2: does a review praise or pan?"""

    texts = ("sentence",)
    columns, test_columns = Columns(text_a=0, label=1), Columns(text_a=1)


class StsbProcessor(GlueProcessor):
    """STS-B: how alike in meaning are two sentences, from 0 to 5?"""

    labels = (None,)
    columns = Columns(text_a=7, text_b=8, label=-1, guid=0)


class QqpProcessor(GlueProcessor):
    """QQP: do two questions ask the same?"""

    texts = ("question1", "question2")
    columns, test_columns = Columns(text_a=3, text_b=4, label=5, guid=0), Columns(text_a=1, text_b=2, guid=0)
    skips_short_rows = True


class _Entailment(GlueProcessor):
    """Two texts in the columns 1 and 2, and the label in the last one."""

    labels: tuple[str | None, ...] = ("entailment", "not_entailment")
    columns = Columns(text_a=1, text_b=2, label=-1, guid=0)


class QnliProcessor(_Entailment):
    """QNLI: does a sentence answer the question?"""

    texts = ("question", "sentence")


class RteProcessor(_Entailment):
    """RTE: does the second text follow from the first?"""


class WnliProcessor(_Entailment):
    """WNLI: does the second sentence, with a pronoun replaced, follow from the first?"""

    labels = ("0", "1")


glue_processors: dict[str, type[GlueProcessor]] = {
    "cola": ColaProcessor,
    "mnli": MnliProcessor,
    "mnli-mm": MnliMismatchedProcessor,
    "mrpc": MrpcProcessor,
    "sst-2": Sst2Processor,
    "sts-b": StsbProcessor,
    "qqp": QqpProcessor,
    "qnli": QnliProcessor,
    "rte": RteProcessor,
    "wnli": WnliProcessor,
}

glue_output_modes: dict[str, str] = {
    task: "regression" if processor.labels == (None,) else "classification"
    for task, processor in glue_processors.items()
}

glue_tasks_num_labels: dict[str, int] = {
    task: len(processor.labels) for task, processor in glue_processors.items() if task != "mnli-mm"
}


def glue_convert_examples_to_features(
    examples: list[InputExample],
    tokenizer: PreTrainedTokenizerBase,
    max_length: int | None = None,
    task: str | None = None,
    label_list: list[Any] | None = None,
    output_mode: str | None = None,
) -> list[InputFeatures]:
    """What a model reads of examples of GLUE, each padded or cut to the same length.

    Args:
        examples: Examples of a :class:`GlueProcessor`.
        tokenizer: Makes tokens of the texts.
        max_length: Tokens of each example, special tokens included; what the model takes by default.
        task: Name of the task, a key of `glue_processors`. It says which labels there are.
        label_list: The labels, in place of those of the task.
        output_mode: `"classification"` or `"regression"`, in place of that of the task.
    """
    if task is not None:
        if task not in glue_processors:
            raise KeyError(f"the task {task!r} is none of {', '.join(glue_processors)}")
        label_list = glue_processors[task]().get_labels() if label_list is None else label_list
        output_mode = glue_output_modes[task] if output_mode is None else output_mode
    if label_list is None or output_mode is None:
        raise TypeError("Pass the task, or both label_list and output_mode: the labels are not known")
    if output_mode not in ("classification", "regression"):
        raise KeyError(f"output_mode should be 'classification' or 'regression', found {output_mode!r}")
    classify = label_index(label_list, output_mode)
    labels = [None if example.label is None else classify(example.label) for example in examples]
    rows = _encode(examples, tokenizer, max_length or tokenizer.model_max_length)
    return [InputFeatures(**row, label=label) for row, label in zip(rows, labels)]


def _encode(
    examples: list[InputExample], tokenizer: PreTrainedTokenizerBase, max_length: int
) -> list[dict[str, list[int]]]:
    """The columns of each example that features have."""
    if not examples:
        return []
    single = [example.text_b is None for example in examples]
    if any(single) and not all(single):  # a batch holds either texts or pairs
        return [row for example in examples for row in _encode([example], tokenizer, max_length)]
    seconds: Any = None if single[0] else [example.text_b for example in examples]
    batch = tokenizer(
        [example.text_a for example in examples], seconds, max_length=max_length, padding="max_length", truncation=True
    )
    names = [name for name in ("input_ids", "attention_mask", "token_type_ids") if name in batch]
    return [{name: batch[name][index] for name in names} for index in range(len(examples))]
