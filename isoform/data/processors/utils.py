"""Examples of text classification, what a model reads of them, and the processors that make both."""

from __future__ import annotations

import csv
import dataclasses
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...utils import logging

if TYPE_CHECKING:
    from torch.utils.data import TensorDataset

    from ...tokenization_utils_base import PreTrainedTokenizerBase

__all__ = ["DataProcessor", "InputExample", "InputFeatures", "SingleSentenceClassificationProcessor"]

logger = logging.get_logger(__name__)


@dataclass
class InputExample:
    """One text, or a pair of texts, to classify.

    Args:
        guid: Identifier of the example.
        text_a: The text, or the first of two.
        text_b: The second text of a pair.
        label: The class, where it is known.
    """

    guid: str | None
    text_a: str
    text_b: str | None = None
    label: str | None = None

    def to_json_string(self) -> str:
        """The example as indented JSON, with a line break at the end."""
        return json.dumps(dataclasses.asdict(self), indent=2) + "\n"


@dataclass(frozen=True)
class InputFeatures:
    """What a model reads of one example. The names are those of the model's arguments.

    Args:
        input_ids: Ids of the tokens.
        attention_mask: 1 for tokens, 0 for padding.
        token_type_ids: 0 for the first text, 1 for the second, for models that tell them apart.
        label: Index of the class, or the value to predict in a regression.
    """

    input_ids: list[int]
    attention_mask: list[int] | None = None
    token_type_ids: list[int] | None = None
    label: int | float | None = None

    def to_json_string(self) -> str:
        """The features as one line of JSON, with a line break at the end."""
        return json.dumps(dataclasses.asdict(self)) + "\n"


class DataProcessor:
    """Reads the examples of one task. Subclasses say where they are and how they look."""

    def get_example_from_tensor_dict(self, tensor_dict: dict[str, Any]) -> InputExample:
        """The example that an entry of *tensorflow_datasets* holds."""
        raise NotImplementedError(f"{type(self).__name__} does not read entries of tensorflow_datasets")

    def get_train_examples(self, data_dir: str) -> list[Any]:
        """The examples to train on, from the files in `data_dir`."""
        raise NotImplementedError(f"{type(self).__name__} has no examples to train on")

    def get_dev_examples(self, data_dir: str) -> list[Any]:
        """The examples to choose a model by, from the files in `data_dir`."""
        raise NotImplementedError(f"{type(self).__name__} has no development examples")

    def get_test_examples(self, data_dir: str) -> list[Any]:
        """The examples to test with, from the files in `data_dir`."""
        raise NotImplementedError(f"{type(self).__name__} has no test examples")

    def get_labels(self) -> list[Any]:
        """The labels of the task; the index of a label is its class. `[None]` for a regression."""
        raise NotImplementedError(f"{type(self).__name__} does not say which labels there are")

    def tfds_map(self, example: InputExample) -> InputExample:
        """Puts the name of the label where *tensorflow_datasets* has its number, and returns the example."""
        labels = self.get_labels()
        if len(labels) > 1:
            assert example.label is not None
            example.label = labels[int(example.label)]
        return example

    @classmethod
    def _read_tsv(cls, input_file: str, quotechar: str | None = None) -> list[list[str]]:
        """The rows of a file with columns between tabs; without `quotechar`, quotes are part of the text."""
        with open(input_file, encoding="utf-8-sig", newline="") as file:
            if quotechar is None:
                return list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
            return list(csv.reader(file, delimiter="\t", quotechar=quotechar))


def plain(tensor: Any) -> Any:
    """The value of a tensor of any framework, or of something plain; bytes become text."""
    value = tensor.numpy() if hasattr(tensor, "numpy") else tensor
    return value.decode("utf-8") if isinstance(value, bytes) else value


class SingleSentenceClassificationProcessor(DataProcessor):
    """Holds single texts and their labels, from Python or from files.

    Args:
        labels: Names of the classes; the index of a name is its class.
        examples: The examples, as `InputExample`.
        mode: `"classification"` or `"regression"`.
        verbose: Log what was added.
    """

    def __init__(
        self,
        labels: list[Any] | None = None,
        examples: list[InputExample] | None = None,
        mode: str = "classification",
        verbose: bool = False,
    ) -> None:
        self.labels: list[Any] = [] if labels is None else labels
        self.examples = [] if examples is None else examples
        self.mode = mode
        self.verbose = verbose

    def __len__(self) -> int:
        return len(self.examples)

    def __getitem__(self, idx: int | slice) -> InputExample | SingleSentenceClassificationProcessor:
        if isinstance(idx, slice):
            return SingleSentenceClassificationProcessor(labels=self.labels, examples=self.examples[idx])
        return self.examples[idx]

    @classmethod
    def create_from_csv(
        cls,
        file_name: str,
        split_name: str = "",
        column_label: int = 0,
        column_text: int = 1,
        column_id: int | None = None,
        skip_first_row: bool = False,
        **kwargs: Any,
    ) -> SingleSentenceClassificationProcessor:
        """A processor with the rows of a file: see :meth:`add_examples_from_csv`; `kwargs` go to the constructor."""
        processor = cls(**kwargs)
        processor.add_examples_from_csv(
            file_name, split_name, column_label, column_text, column_id, skip_first_row, True, True
        )
        return processor

    @classmethod
    def create_from_examples(
        cls, texts_or_text_and_labels: Iterable[Any], labels: Sequence[Any] | None = None, **kwargs: Any
    ) -> SingleSentenceClassificationProcessor:
        """A processor with these examples: see :meth:`add_examples`; `kwargs` go to the constructor."""
        processor = cls(**kwargs)
        processor.add_examples(texts_or_text_and_labels, labels=labels)
        return processor

    def add_examples_from_csv(
        self,
        file_name: str,
        split_name: str = "",
        column_label: int = 0,
        column_text: int = 1,
        column_id: int | None = None,
        skip_first_row: bool = False,
        overwrite_labels: bool = False,
        overwrite_examples: bool = False,
    ) -> list[InputExample]:
        """Adds the rows of a file whose columns are separated by tabs, and returns all examples.

        Args:
            file_name: The file.
            split_name: Put before the row's number in the identifiers of the examples.
            column_label: Index of the column of the label.
            column_text: Index of the column of the text.
            column_id: Index of the column of the identifier; without one, rows are numbered.
            skip_first_row: The first row holds the names of the columns.
            overwrite_labels: Forget the labels that were known before.
            overwrite_examples: Forget the examples that were there before.
        """
        rows = self._read_tsv(file_name)[1 if skip_first_row else 0 :]
        needed = max(column_label, column_text, column_id or 0)
        texts, labels, ids = [], [], []
        for number, row in enumerate(rows):
            if len(row) <= needed:
                raise IndexError(
                    f"{file_name}: row {number + skip_first_row + 1} has {len(row)} columns, but column {needed} is "
                    "asked for. Columns are counted from 0 and separated by tabs"
                )
            texts.append(row[column_text])
            labels.append(row[column_label])
            prefix = f"{split_name}-" if split_name else ""
            ids.append(f"{prefix}{number}" if column_id is None else row[column_id])
        return self.add_examples(texts, labels, ids, overwrite_labels, overwrite_examples)

    def add_examples(
        self,
        texts_or_text_and_labels: Iterable[Any],
        labels: Sequence[Any] | None = None,
        ids: Sequence[str | None] | None = None,
        overwrite_labels: bool = False,
        overwrite_examples: bool = False,
    ) -> list[InputExample]:
        """Adds examples, and returns all of them. New labels come behind the known ones, in order of appearance.

        Args:
            texts_or_text_and_labels: Texts, or pairs of a text and its label where `labels` is not given.
            labels: The labels of the texts.
            ids: Identifiers of the examples.
            overwrite_labels: Forget the labels that were known before.
            overwrite_examples: Forget the examples that were there before.
        """
        entries = list(texts_or_text_and_labels)
        for name, values in (("labels", labels), ("ids", ids)):
            if values is not None and len(values) != len(entries):
                raise ValueError(f"{len(entries)} texts but {len(values)} {name}: expected as many {name} as texts")
        added = []
        for index, entry in enumerate(entries):
            if labels is None and isinstance(entry, (tuple, list)):
                text, label = entry
            else:
                text, label = entry, None if labels is None else labels[index]
            added.append(InputExample(guid=None if ids is None else ids[index], text_a=text, label=label))
        self.examples = added if overwrite_examples else [*self.examples, *added]
        known = [] if overwrite_labels else self.labels
        self.labels = list(dict.fromkeys([*known, *(example.label for example in added)]))
        if self.verbose:
            logger.info("Added %d examples: %d in all, with the labels %s", len(added), len(self), self.labels)
        return self.examples

    def get_features(
        self,
        tokenizer: PreTrainedTokenizerBase,
        max_length: int | None = None,
        pad_on_left: bool = False,
        pad_token: int = 0,
        mask_padding_with_zero: bool = True,
        return_tensors: str | None = None,
    ) -> list[InputFeatures] | TensorDataset:
        """What a model reads of the examples, all padded to the longest.

        Args:
            tokenizer: Makes tokens of the texts.
            max_length: Most tokens of a text, special tokens included; what the model takes by default.
            pad_on_left: Pad before the texts, not behind.
            pad_token: Id of the token to pad with.
            mask_padding_with_zero: The attention mask has 1 for tokens and 0 for padding; false swaps them.
            return_tensors: `"pt"` for a `TensorDataset` of input ids, attention masks and labels.
        """
        if return_tensors not in (None, "pt", "tf"):
            raise ValueError(f"return_tensors should be one of 'tf' or 'pt', found {return_tensors!r}")
        if return_tensors == "tf":
            raise RuntimeError("Datasets of TensorFlow are not made here: pass return_tensors='pt' or None")
        if not self.examples:
            raise ValueError("There are no examples to make features of: add some with add_examples")
        limit = min(max_length or tokenizer.model_max_length, tokenizer.model_max_length)
        encoded = [tokenizer.encode(example.text_a, truncation=True, max_length=limit) for example in self.examples]
        longest = max(map(len, encoded))
        read, padded = (1, 0) if mask_padding_with_zero else (0, 1)
        classes = label_index(self.labels, self.mode)
        features = []
        for example, ids in zip(self.examples, encoded):
            mask, fill = [read] * len(ids), longest - len(ids)
            if pad_on_left:
                ids, mask = [pad_token] * fill + ids, [padded] * fill + mask
            else:
                ids, mask = ids + [pad_token] * fill, mask + [padded] * fill
            features.append(InputFeatures(ids, mask, label=classes(example.label)))
        return features if return_tensors is None else _tensors(features, self.mode)


def label_index(labels: Sequence[Any], mode: str) -> Any:
    """The function that turns the label of an example into a class, or into the value of a regression."""
    classes = {label: index for index, label in enumerate(labels)}

    def classify(label: Any) -> int:
        if label not in classes:
            raise KeyError(f"the label {label!r} is none of {list(labels)}")
        return classes[label]

    if mode == "classification":
        return classify
    if mode == "regression":
        return float
    raise ValueError(f"the mode should be 'classification' or 'regression', found {mode!r}")


def _tensors(features: list[InputFeatures], mode: str) -> TensorDataset:
    """The features as tensors (input ids, attention masks, labels), of shapes (n, length), (n, length) and (n,)."""
    import torch
    from torch.utils.data import TensorDataset

    labels = torch.tensor([f.label for f in features], dtype=torch.float if mode == "regression" else torch.long)
    columns = (torch.tensor([getattr(f, name) for f in features]) for name in ("input_ids", "attention_mask"))
    return TensorDataset(*columns, labels)
