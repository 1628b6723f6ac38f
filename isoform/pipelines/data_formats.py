"""Readers and writers for running a pipeline over files or standard input: CSV, JSON and lines of text."""

from __future__ import annotations

import csv
import json
import os
import pickle
import sys
from abc import abstractmethod
from collections.abc import Iterator
from typing import Any


class PipelineDataFormat:
    """Reads the inputs of a pipeline from a file and writes its results to one.

    `column` names the columns to read, separated by commas; `name=column` renames one. One column yields values,
    several yield dictionaries. An `output_path` that exists is refused unless `overwrite` is set.
    """

    SUPPORTED_FORMATS = ["json", "csv", "pipe"]

    def __init__(
        self, output_path: str | None, input_path: str | None, column: str | None, overwrite: bool = False
    ) -> None:
        self.output_path: Any = output_path
        self.input_path: Any = input_path
        names = column.split(",") if column is not None else [""]
        self.is_multi_columns = len(names) > 1
        self.column: list[Any] = names
        if self.is_multi_columns:
            self.column = [tuple(name.split("=")) if "=" in name else (name, name) for name in names]
        if output_path is not None and not overwrite and os.path.lexists(os.path.abspath(output_path)):
            raise OSError(f"{output_path} already exists on disk")
        if input_path is not None and not os.path.lexists(os.path.abspath(input_path)):
            raise OSError(f"{input_path} doesnt exist on disk")

    @abstractmethod
    def __iter__(self) -> Iterator[Any]:
        raise NotImplementedError()

    @abstractmethod
    def save(self, data: Any) -> None:
        """Write the results."""
        raise NotImplementedError()

    def save_binary(self, data: Any) -> str:
        """Pickle results that have no text form beside `output_path`; returns the path written."""
        path = os.path.splitext(self.output_path)[0] + ".pickle"
        with open(path, "wb") as file:
            pickle.dump(data, file)
        return path

    def _select(self, row: dict[str, Any]) -> Any:
        if self.is_multi_columns:
            return {name: row[column] for name, column in self.column}
        return row[self.column[0]]

    @staticmethod
    def from_str(
        format: str, output_path: str | None, input_path: str | None, column: str | None, overwrite: bool = False
    ) -> PipelineDataFormat:
        """The reader for `format`: "json", "csv" or "pipe" (KeyError otherwise)."""
        readers: dict[str, Any] = {
            "json": JsonPipelineDataFormat,
            "csv": CsvPipelineDataFormat,
            "pipe": PipedPipelineDataFormat,
        }
        if format not in readers:
            raise KeyError(f"Unknown reader {format}: expected json, csv or pipe")
        return readers[format](output_path, input_path, column, overwrite=overwrite)


class CsvPipelineDataFormat(PipelineDataFormat):
    """CSV with a header line."""

    def __iter__(self) -> Iterator[Any]:
        with open(self.input_path, newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                yield self._select(row)

    def save(self, data: Any) -> None:
        """Write the rows below a header made of the first row's keys."""
        with open(self.output_path, "w", newline="", encoding="utf-8") as file:
            if data:
                writer = csv.DictWriter(file, list(data[0]), lineterminator="\n")
                writer.writeheader()
                writer.writerows(data)


class JsonPipelineDataFormat(PipelineDataFormat):
    """A JSON list of objects, read whole when the format is created."""

    def __init__(
        self, output_path: str | None, input_path: str | None, column: str | None, overwrite: bool = False
    ) -> None:
        super().__init__(output_path, input_path, column, overwrite=overwrite)
        with open(self.input_path, encoding="utf-8") as file:
            self._entries = json.load(file)

    def __iter__(self) -> Iterator[Any]:
        return (self._select(entry) for entry in self._entries)

    def save(self, data: Any) -> None:
        """Write the results as one JSON document."""
        with open(self.output_path, "w", encoding="utf-8") as file:
            json.dump(data, file)


class PipedPipelineDataFormat(PipelineDataFormat):
    """Lines of standard input (tab-separated for several columns) to standard output."""

    def __iter__(self) -> Iterator[Any]:
        for line in sys.stdin:
            if "\t" not in line:
                yield line
            elif self.is_multi_columns:
                yield {name: part for (name, _), part in zip(self.column, line.split("\t"))}
            else:
                yield tuple(line.split("\t"))

    def save(self, data: Any) -> None:
        """Print the results."""
        print(data)

    def save_binary(self, data: Any) -> str:
        """As the base class, but the caller must have named an output file."""
        if self.output_path is None:
            raise KeyError("Large results cannot be written to a pipe: name an output file with --output.")
        return super().save_binary(data)
