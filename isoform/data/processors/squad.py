"""Examples of extractive question answering in the manner of SQuAD, and the processors that read them."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from ...utils import logging
from .utils import DataProcessor, plain

if TYPE_CHECKING:
    from torch.utils.data import TensorDataset

    from ...tokenization_utils_base import BatchEncoding, PreTrainedTokenizerBase

__all__ = [
    "SquadExample",
    "SquadFeatures",
    "SquadProcessor",
    "SquadResult",
    "SquadV1Processor",
    "SquadV2Processor",
    "squad_convert_examples_to_features",
]

logger = logging.get_logger(__name__)

# The words of a text are tokenized one by one, and these tell a word behind a space from one at the beginning.
_NEEDS_SPACE = {f"{name}Tokenizer{kind}" for name in ("Roberta", "Longformer", "Bart") for kind in ("", "Fast")}
_FIRST_ID = 1_000_000_000
_SPACES = " \t\r\n\u202f"


class SquadExample:
    """A question about a text, with its answer where that is known.

    Args:
        qas_id: Identifier of the question.
        question_text: The question.
        context_text: The text that holds the answer.
        answer_text: The answer, for training.
        start_position_character: Where the answer starts in the text, for training.
        title: Title of the text.
        answers: All accepted answers (`{"text", "answer_start"}`), for evaluation.
        is_impossible: Whether the text does not hold the answer.

    Attributes:
        doc_tokens: The words of the text, split at spaces.
        char_to_word_offset: For each character the index of its word; a space belongs to the word before it.
        start_position, end_position: First and last word of the answer.
    """

    def __init__(
        self,
        qas_id: str | None,
        question_text: str,
        context_text: str,
        answer_text: str | None,
        start_position_character: int | None,
        title: str | None,
        answers: list[dict[str, Any]] = [],  # noqa: B006 - the documented default; it is never changed
        is_impossible: bool = False,
    ) -> None:
        self.qas_id, self.question_text, self.context_text = qas_id, question_text, context_text
        self.answer_text, self.title = answer_text, title
        self.answers, self.is_impossible = answers, is_impossible
        self.doc_tokens, self.char_to_word_offset = split_words(context_text)
        self.start_position = self.end_position = 0
        if start_position_character is not None and not is_impossible:
            last = min(start_position_character + len(answer_text or "") - 1, len(self.char_to_word_offset) - 1)
            self.start_position = self.char_to_word_offset[start_position_character]
            self.end_position = self.char_to_word_offset[last]


def split_words(text: str) -> tuple[list[str], list[int]]:
    """The words of a text, and for each character the index of its word (-1 before the first)."""
    words: list[str] = []
    word_of: list[int] = []
    inside = False
    for character in text:
        if character in _SPACES:
            inside = False
        elif inside:
            words[-1] += character
        else:
            words.append(character)
            inside = True
        word_of.append(len(words) - 1)
    return words, word_of


@dataclass(eq=False)
class SquadFeatures:
    """What a model reads of one window of a text, behind or before the question.

    Args:
        input_ids: Ids of the tokens of question and window, with special tokens and padding.
        attention_mask: 1 for tokens, 0 for padding.
        token_type_ids: Which of the two texts a token belongs to.
        cls_index: Place of the classification token.
        p_mask: 1 for tokens that cannot be in an answer, 0 for the window and the classification token.
        example_index: Index of the example among those that have windows.
        unique_id: Identifier of the window, by which results are found again.
        paragraph_len: Number of tokens of the window.
        token_is_max_context: For each place of the window, whether no other window shows more around that token.
        tokens: The tokens, without padding.
        token_to_orig_map: For each place of the window, the index of its word in the text.
        start_position: Place of the first token of the answer; `cls_index` where the window does not hold it.
        end_position: Place of the last token of the answer.
        is_impossible: Whether the window does not hold the answer.
        qas_id: Identifier of the question.
        encoding: The tokenizer's whole output, for those who make features of it.
    """

    input_ids: list[int]
    attention_mask: list[int]
    token_type_ids: list[int]
    cls_index: int
    p_mask: list[int]
    example_index: int
    unique_id: int
    paragraph_len: int
    token_is_max_context: dict[int, bool]
    tokens: list[str]
    token_to_orig_map: dict[int, int]
    start_position: int
    end_position: int
    is_impossible: bool
    qas_id: str | None = None
    encoding: BatchEncoding | None = None


@dataclass(eq=False)
class SquadResult:
    """What a model says about one window.

    Args:
        unique_id: Identifier of the window: that of its `SquadFeatures`.
        start_logits: How well the answer starts at each token; for XLNet and XLM the best of them.
        end_logits: How well the answer ends at each token.
        start_top_index: The tokens that `start_logits` belong to (XLNet and XLM).
        end_top_index: The tokens that `end_logits` belong to (XLNet and XLM).
        cls_logits: How well the question has no answer (XLNet and XLM).
    """

    unique_id: int
    start_logits: list[float]
    end_logits: list[float]
    start_top_index: list[int] | None = None
    end_top_index: list[int] | None = None
    cls_logits: float | None = None


class SquadProcessor(DataProcessor):
    """Reads the files of SQuAD. Use :class:`SquadV1Processor` or :class:`SquadV2Processor`, which know their names."""

    train_file: str | None = None
    dev_file: str | None = None

    def get_examples_from_dataset(self, dataset: Any, evaluate: bool = False) -> list[SquadExample]:
        """The examples of a data set of *tensorflow_datasets* (or of plain values).

        Args:
            dataset: Holds the entries to train on under `"train"`, and those to evaluate with under `"validation"`.
            evaluate: Take those to evaluate with.
        """
        entries = dataset["validation" if evaluate else "train"]
        return [self._get_example_from_tensor_dict(entry, evaluate) for entry in logging.tqdm(entries)]

    def get_train_examples(self, data_dir: str | None, filename: str | None = None) -> list[SquadExample]:
        """The examples to train on.

        Args:
            data_dir: The folder of the file.
            filename: Name of the file, if not the published one.
        """
        return self._read(data_dir, filename, self.train_file, "train")

    def get_dev_examples(self, data_dir: str | None, filename: str | None = None) -> list[SquadExample]:
        """The examples to evaluate with, each with all its answers: see :meth:`get_train_examples`."""
        return self._read(data_dir, filename, self.dev_file, "dev")

    def _read(
        self, data_dir: str | None, filename: str | None, published: str | None, split: str
    ) -> list[SquadExample]:
        if published is None:
            raise ValueError("SquadProcessor does not know its files: use SquadV1Processor or SquadV2Processor")
        path = os.path.join(data_dir or "", filename or published)
        with open(path, encoding="utf-8") as file:
            content = json.load(file)
        try:
            return self._create_examples(content["data"], split)
        except (KeyError, TypeError) as error:
            raise ValueError(
                f"{path}: expected the layout of SQuAD (data, paragraphs, context, qas, question, answers), "
                f"found {error!r} on the way"
            ) from error

    def _create_examples(self, input_data: list[dict[str, Any]], set_type: str) -> list[SquadExample]:
        """The examples of the entries of a file."""
        return [
            _example(entry["title"], paragraph["context"], question, set_type == "train")
            for entry in input_data
            for paragraph in entry["paragraphs"]
            for question in paragraph["qas"]
        ]

    def _get_example_from_tensor_dict(self, tensor_dict: dict[str, Any], evaluate: bool = False) -> SquadExample:
        starts, texts = (tensor_dict["answers"][name] for name in ("answer_start", "text"))
        answers = [{"answer_start": plain(start), "text": plain(text)} for start, text in zip(starts, texts)]
        title, context, question, name = (plain(tensor_dict[n]) for n in ("title", "context", "question", "id"))
        return _example(title, context, {"id": name, "question": question, "answers": answers}, not evaluate)


def _example(title: str, context: str, question: dict[str, Any], training: bool) -> SquadExample:
    """The example of a question: with its first answer for training, with all of them for evaluation."""
    impossible = question.get("is_impossible", False)
    answers = [] if impossible else question["answers"]
    text = start = None
    if training and not impossible:
        text, start, answers = answers[0]["text"], answers[0]["answer_start"], []
    return SquadExample(question["id"], question["question"], context, text, start, title, answers, impossible)


class SquadV1Processor(SquadProcessor):
    """Reads SQuAD 1.1, in which each question has an answer."""

    train_file = "train-v1.1.json"
    dev_file = "dev-v1.1.json"


class SquadV2Processor(SquadProcessor):
    """Reads SQuAD 2.0, in which some questions have no answer."""

    train_file = "train-v2.0.json"
    dev_file = "dev-v2.0.json"


@dataclass
class Windows:
    """How to cut texts into windows.

    Args:
        tokenizer: Makes tokens of the texts.
        length: Tokens of question and window together, special tokens included.
        stride: Tokens from the start of a window to that of the next.
        query_length: Most tokens of a question.
        padding: Which windows to pad: `"max_length"`, `"longest"` or `"do_not_pad"`.
        training: Mark the answers.
    """

    tokenizer: PreTrainedTokenizerBase
    length: int
    stride: int
    query_length: int
    padding: str
    training: bool

    def __post_init__(self) -> None:
        if self.stride < 1:
            raise ValueError(f"doc_stride should be at least 1, found {self.stride}")
        self.text_last = self.tokenizer.padding_side == "right"
        # Where the special tokens are, is seen around an id that stands for a text.
        frame = self._pair([], [-1])
        self.before, self.behind = frame.index(-1), len(frame) - 1 - frame.index(-1)

    def of(self, example: SquadExample) -> list[SquadFeatures]:
        """The windows of an example; none for training where the answer is not in the text."""
        answer = None
        if self.training and not example.is_impossible:
            if not _holds_answer(example):
                return []
            answer = example.answer_text
        words = [self._tokens(word) for word in example.doc_tokens]
        tokens = [token for word in words for token in word]
        word_of = [index for index, word in enumerate(words) for _ in word]
        span = None if answer is None else self._answer(example, answer, words, tokens)
        question = self.tokenizer.encode(
            example.question_text, add_special_tokens=False, truncation=True, max_length=self.query_length
        )
        room = self.length - len(question) - self.before - self.behind
        if room < 1:
            raise ValueError(
                f"max_seq_length={self.length} leaves no room for the text beside a question of {len(question)} tokens "
                f"and {self.before + self.behind} special tokens: raise it, or lower max_query_length"
            )
        spans = _cut(len(tokens), room, self.stride)
        ids = self.tokenizer.convert_tokens_to_ids(tokens)
        best = _best_windows(spans)
        return [
            self._features(example, question, ids[start:end], start, word_of, span, best, index)
            for index, (start, end) in enumerate(spans)
        ]

    def _pair(self, question: list[int], text: list[int]) -> list[int]:
        first, second = (question, text) if self.text_last else (text, question)
        return self.tokenizer.build_inputs_with_special_tokens(first, second)

    def _tokens(self, word: str) -> list[str]:
        return self.tokenizer.tokenize(f" {word}" if type(self.tokenizer).__name__ in _NEEDS_SPACE else word)

    def _answer(self, example: SquadExample, answer: str, words: list[list[str]], tokens: list[str]) -> tuple[int, int]:
        """First and last token of the answer: the fewest that spell it, or those of its words."""
        start = sum(map(len, words[: example.start_position]))
        end = sum(map(len, words[: example.end_position + 1])) - 1
        wanted = " ".join(self.tokenizer.tokenize(answer))
        for first in range(start, end + 1):
            for last in range(end, first - 1, -1):
                if " ".join(tokens[first : last + 1]) == wanted:
                    return first, last
        return start, end

    def _features(
        self,
        example: SquadExample,
        question: list[int],
        ids: list[int],
        start: int,
        word_of: list[int],
        span: tuple[int, int] | None,
        best: list[int],
        index: int,
    ) -> SquadFeatures:
        """What the model reads of the window `index`, whose `ids` begin at the token `start` of the text."""
        first, second = (question, ids) if self.text_last else (ids, question)
        encoded = self.tokenizer.prepare_for_model(
            first,
            second,
            padding=self.padding,
            max_length=self.length,
            return_token_type_ids=True,
            return_attention_mask=True,
        )
        sequence, mask = encoded["input_ids"], encoded["attention_mask"]
        cls_index = self._cls_index(sequence)
        # Before padding: the reference counts places so on both sides, and results are read by these places.
        offset = len(question) + self.before if self.text_last else 0
        begin = end = cls_index if span is not None else 0
        held = span is not None and start <= span[0] and span[1] < start + len(ids)
        if span is not None and held:
            begin, end = (place - start + offset for place in span)
        places = range(len(ids))
        return SquadFeatures(
            input_ids=sequence,
            attention_mask=mask,
            token_type_ids=encoded["token_type_ids"],
            cls_index=cls_index,
            p_mask=self._p_mask(sequence, mask, len(question), cls_index),
            example_index=0,
            unique_id=0,
            paragraph_len=len(ids),
            token_is_max_context={offset + i: best[start + i] == index for i in places},
            tokens=self.tokenizer.convert_ids_to_tokens([i for i, read in zip(sequence, mask) if read]),
            token_to_orig_map={offset + i: word_of[start + i] for i in places},
            start_position=begin,
            end_position=end,
            is_impossible=example.is_impossible or (span is not None and not held),
            qas_id=example.qas_id,
        )

    def _cls_index(self, sequence: list[int]) -> int:
        cls = self.tokenizer.cls_token_id
        if cls not in sequence:
            raise ValueError(
                f"{type(self.tokenizer).__name__} puts no classification token into its sequences: features of SQuAD "
                "need one, which stands for no answer"
            )
        return sequence.index(cls)

    def _p_mask(self, sequence: list[int], mask: list[int], question: int, cls_index: int) -> list[int]:
        """0 where an answer can be: in the text, and at the token that stands for none."""
        special = self.tokenizer.get_special_tokens_mask(sequence, already_has_special_tokens=True)
        padding = len(mask) - sum(mask)
        begin, end = question + self.before, len(sequence)
        if not self.text_last:
            begin, end = padding, len(sequence) - question - self.behind
        outside = [int(not begin <= i < end) for i in range(len(sequence))]
        p_mask = [int(o or s or not read) for o, s, read in zip(outside, special, mask)]
        p_mask[cls_index] = 0
        return p_mask


def _holds_answer(example: SquadExample) -> bool:
    """Whether the words where the answer should be hold it; if not, it says so."""
    found = " ".join(example.doc_tokens[example.start_position : example.end_position + 1])
    wanted = " ".join((example.answer_text or "").split())
    if wanted not in found:
        logger.warning("Question %s is left out: its answer %r is not in %r", example.qas_id, wanted, found)
    return wanted in found


def _cut(total: int, room: int, stride: int) -> list[tuple[int, int]]:
    """Start and end of each window over `total` tokens; the last one reaches the end, if the stride is no longer."""
    spans: list[tuple[int, int]] = []
    for start in range(0, total, stride):
        spans.append((start, min(start + room, total)))
        if start + room >= total:
            break
    return spans


def _best_windows(spans: list[tuple[int, int]]) -> list[int]:
    """For each token the window that shows most around it: on the scarcer side, then by length, then the first."""
    best: dict[int, tuple[float, int]] = {}
    for index, (start, end) in enumerate(spans):
        for place in range(start, end):
            score = min(place - start, end - 1 - place) + 0.01 * (end - start)
            if place not in best or score > best[place][0]:
                best[place] = (score, index)
    return [best[place][1] if place in best else -1 for place in range(spans[-1][1])] if spans else []


def squad_convert_examples_to_features(
    examples: list[SquadExample],
    tokenizer: PreTrainedTokenizerBase,
    max_seq_length: int,
    doc_stride: int,
    max_query_length: int,
    is_training: bool,
    padding_strategy: str = "max_length",
    return_dataset: bool | str = False,
    threads: int = 1,
    tqdm_enabled: bool = True,
) -> list[SquadFeatures] | tuple[list[SquadFeatures], TensorDataset]:
    """What a model reads of questions about texts: one or more windows of each, which overlap.

    Args:
        examples: The questions.
        tokenizer: Makes tokens of the texts; it has a classification token. Its `padding_side` says where the
            question is: before the text if `"right"`, behind it if `"left"`.
        max_seq_length: Tokens of question and window together, special tokens included.
        doc_stride: Tokens from the start of a window to that of the next.
        max_query_length: Most tokens of a question; the rest is cut off.
        is_training: Mark the answers, and leave out questions whose answer is not in the text.
        padding_strategy: Which windows to pad: `"max_length"`, `"longest"` or `"do_not_pad"`.
        return_dataset: `"pt"` for a `TensorDataset` too. For training it holds input ids, attention masks, token
            types, start and end positions, `cls_index`, `p_mask` and `is_impossible`; else input ids, attention
            masks, token types, the index of the features, `cls_index` and `p_mask`.
        threads: Number of processes that share the work.
        tqdm_enabled: Show a progress bar.
    """
    if return_dataset == "tf":
        raise RuntimeError("Datasets of TensorFlow are not made here: pass return_dataset='pt' or False")
    windows = Windows(tokenizer, max_seq_length, doc_stride, max_query_length, padding_strategy, is_training)
    features: list[SquadFeatures] = []
    # As in the reference, examples without windows are not counted: go by `qas_id` to find an example.
    for index, found in enumerate(filter(None, _converted(examples, windows, threads, tqdm_enabled))):
        for one in found:
            one.example_index, one.unique_id = index, _FIRST_ID + len(features)
            features.append(one)
    return (features, _dataset(features, is_training)) if return_dataset == "pt" else features


def _converted(examples: list[SquadExample], windows: Windows, threads: int, show: bool) -> Any:
    """The windows of each example in turn, made here or by several processes."""
    bar = partial(logging.tqdm, total=len(examples), desc="convert squad examples to features", disable=not show)
    if threads <= 1:
        yield from bar(map(windows.of, examples))
        return
    from multiprocessing import Pool, cpu_count

    with Pool(min(threads, cpu_count()), initializer=_start, initargs=(windows,)) as pool:
        yield from bar(pool.imap(_work, examples, chunksize=32))


_of_process: list[Windows] = []


def _start(windows: Windows) -> None:
    """Keeps the settings in a process, so that the tokenizer travels once and not with each example."""
    _of_process[:] = [windows]


def _work(example: SquadExample) -> list[SquadFeatures]:
    return _of_process[0].of(example)


def _dataset(features: list[SquadFeatures], training: bool) -> TensorDataset:
    """The columns of the features as tensors, in the order that scripts expect."""
    import torch
    from torch.utils.data import TensorDataset

    def column(name: str, dtype: torch.dtype = torch.long) -> torch.Tensor:
        return torch.tensor([getattr(one, name) for one in features], dtype=dtype)

    read = [column(name) for name in ("input_ids", "attention_mask", "token_type_ids")]
    cls_index, p_mask = column("cls_index"), column("p_mask", torch.float)
    if not training:
        return TensorDataset(*read, torch.arange(len(features)), cls_index, p_mask)
    answers = [column("start_position"), column("end_position")]
    return TensorDataset(*read, *answers, cls_index, p_mask, column("is_impossible", torch.float))
