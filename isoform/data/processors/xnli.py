"""XNLI: does the hypothesis follow from the premise, in fifteen languages?"""

from __future__ import annotations

import os

from .utils import DataProcessor, InputExample

__all__ = ["XnliProcessor", "xnli_output_modes", "xnli_processors", "xnli_tasks_num_labels"]


class XnliProcessor(DataProcessor):
    """Reads XNLI: machine translations of MultiNLI to train on, human translations to test with.

    Args:
        language: Code of the language to test with, such as `"de"`.
        train_language: Code of the language to train on; `language` by default.
    """

    def __init__(self, language: str, train_language: str | None = None) -> None:
        self.language = language
        self.train_language = train_language

    def get_train_examples(self, data_dir: str) -> list[InputExample]:
        """The examples of `XNLI-MT-1.0/multinli/multinli.train.<language>.tsv` in `data_dir`."""
        language = self.language if self.train_language is None else self.train_language
        rows = self._rows(os.path.join(data_dir, f"XNLI-MT-1.0/multinli/multinli.train.{language}.tsv"), 3)
        # The translations name one label otherwise than the tests do.
        names = {"contradictory": "contradiction"}
        return [InputExample(f"train-{n}", row[0], row[1], names.get(row[2], row[2])) for n, row in rows]

    def get_test_examples(self, data_dir: str) -> list[InputExample]:
        """The examples of this language in `XNLI-1.0/xnli.test.tsv` in `data_dir`, with labels."""
        rows = self._rows(os.path.join(data_dir, "XNLI-1.0/xnli.test.tsv"), 8)
        return [InputExample(f"test-{n}", row[6], row[7], row[1]) for n, row in rows if row[0] == self.language]

    def get_labels(self) -> list[str]:
        """The labels of the task."""
        return ["contradiction", "entailment", "neutral"]

    def _rows(self, path: str, columns: int) -> list[tuple[int, list[str]]]:
        """The rows of a file with their numbers, without the names of the columns (row 0)."""
        rows = list(enumerate(self._read_tsv(path)))[1:]
        for number, row in rows:
            if len(row) < columns:
                raise IndexError(
                    f"{path}: row {number + 1} has {len(row)} columns, expected at least {columns} separated by tabs"
                )
        return rows


xnli_processors = {"xnli": XnliProcessor}
xnli_output_modes = {"xnli": "classification"}
xnli_tasks_num_labels = {"xnli": 3}
