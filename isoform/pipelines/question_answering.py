"""Extractive question answering: the span of a text that answers a question about it."""

from __future__ import annotations

import types
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch.utils.data import Dataset

from ..data.processors.squad import SquadExample
from .base import ArgumentHandler, ChunkPipeline, accepts
from .text_inputs import softmax

# Logit of the tokens that cannot begin or end an answer.
_MASKED = -10000.0


def decode_spans(
    start: np.ndarray, end: np.ndarray, topk: int, max_answer_len: int, undesired_tokens: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The best spans by the product of their start's and end's probability.

    Args:
        start, end: Probability of each token to be the first or the last, `(1, tokens)`.
        topk: How many spans to look at.
        max_answer_len: The most tokens of a span.
        undesired_tokens: Nonzero for the tokens that an answer may begin or end with, `(tokens,)`.

    Returns:
        Starts, ends and scores, best first; at most `topk`, fewer where a span touches a token it may not.
    """
    joint = start[0][:, None] * end[0][None, :]
    joint = np.tril(np.triu(joint), max_answer_len - 1)
    flat = joint.ravel()
    if topk == 1:
        best = np.array([flat.argmax()])
    elif len(flat) <= topk:
        best = np.argsort(-flat)
    else:
        best = np.argpartition(-flat, topk)[:topk]
        best = best[np.argsort(-flat[best])]
    starts, ends = np.unravel_index(best, joint.shape)
    allowed = np.asarray(undesired_tokens).astype(bool)
    keep = allowed[starts] & allowed[ends]
    starts, ends = starts[keep], ends[keep]
    return starts, ends, joint[starts, ends]


def select_starts_ends(
    start: np.ndarray,
    end: np.ndarray,
    p_mask: np.ndarray,
    attention_mask: np.ndarray | None,
    min_null_score: float = 1000000,
    top_k: int = 1,
    handle_impossible_answer: bool = False,
    max_answer_len: int = 15,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """The best spans from logits.

    Args:
        start, end: Logits of each token, `(1, tokens)`.
        p_mask: One for tokens that cannot be part of an answer, `(tokens,)`.
        attention_mask: Zero for padding, `(tokens,)` or `(1, tokens)`.
        min_null_score: The lowest score of "no answer" so far; lowered if this window's is lower.
        top_k, max_answer_len: As in `decode_spans`.
        handle_impossible_answer: Whether to keep that score.

    Returns:
        Starts, ends, scores and the lowest score of "no answer".
    """
    allowed = np.abs(np.asarray(p_mask) - 1)
    if attention_mask is not None:
        allowed = allowed & np.asarray(attention_mask).reshape(-1)
    start = softmax(np.where(allowed == 0, _MASKED, start))
    end = softmax(np.where(allowed == 0, _MASKED, end))
    if handle_impossible_answer:
        min_null_score = min(min_null_score, (start[0, 0] * end[0, 0]).item())
    # The first token stands for "no answer", so it cannot be part of one.
    start[0, 0] = end[0, 0] = 0.0
    starts, ends, scores = decode_spans(start, end, top_k, max_answer_len, allowed)
    return starts, ends, scores, min_null_score


class QuestionAnsweringArgumentHandler(ArgumentHandler):
    """All the ways to pass questions and contexts, as a list of `SquadExample`."""

    def normalize(self, item: Any) -> SquadExample:
        """One example from a `SquadExample` or a dictionary with "question" and "context"."""
        if isinstance(item, SquadExample):
            return item
        if not isinstance(item, dict):
            raise ValueError(f"expected a SquadExample or a dict, found {item}")
        for key in ("question", "context"):
            if key not in item:
                raise KeyError(f"the key {key!r} is missing: expected question and context")
            if item[key] is None:
                raise ValueError(f"`{key}` cannot be None")
            if isinstance(item[key], str) and not item[key]:
                raise ValueError(f"`{key}` cannot be empty")
        return QuestionAnsweringPipeline.create_sample(item["question"], item["context"])

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        inputs = self._inputs(args, kwargs)
        if isinstance(inputs, (types.GeneratorType, Dataset)):
            return inputs
        if isinstance(inputs, dict):
            inputs = [inputs]
        elif isinstance(inputs, (list, tuple)):
            inputs = list(inputs)
        else:
            raise ValueError(f"Invalid arguments {kwargs}")
        return [self.normalize(item) for item in inputs]

    def _inputs(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if len(args) == 1:
            return [args[0]] if isinstance(args[0], (str, SquadExample)) else args[0]
        if len(args) == 2 and {type(argument) for argument in args} == {str}:
            return {"question": args[0], "context": args[1]}
        if args:
            return list(args)
        for name in ("X", "data"):
            if name in kwargs:
                return kwargs[name]
        if "question" in kwargs and "context" in kwargs:
            return self._paired(kwargs["question"], kwargs["context"])
        raise ValueError(f"Unknown arguments {kwargs}")

    def _paired(self, questions: Any, contexts: Any) -> list[dict[str, Any]]:
        if isinstance(questions, list) and isinstance(contexts, str):
            contexts = [contexts] * len(questions)
        if isinstance(questions, list) and isinstance(contexts, list):
            if len(questions) != len(contexts):
                raise ValueError(
                    f"found {len(questions)} questions and {len(contexts)} contexts: expected as many of both"
                )
            return [{"question": question, "context": context} for question, context in zip(questions, contexts)]
        if isinstance(questions, str) and isinstance(contexts, str):
            return [{"question": questions, "context": contexts}]
        raise ValueError("Arguments can't be understood")


class QuestionAnsweringPipeline(ChunkPipeline):
    """Finds answers with a model that has a question answering head.

    Task: "question-answering". Contexts that are longer than the model takes are read in overlapping windows.

    Args:
        top_k: How many answers to return, best first (default 1; `topk` is its old name).
        doc_stride: How many tokens neighbouring windows share (default 128, at most half a window).
        max_answer_len: The most tokens of an answer (default 15).
        max_seq_len: Tokens of a window, with the question (default 384, at most what the tokenizer allows).
        max_question_len: Where a slow tokenizer's question is cut (default 64).
        handle_impossible_answer: Whether "no answer" (an empty text) competes too.
        align_to_words: Whether answers are widened to whole words (default: yes; for languages with spaces).
        padding: Padding of the windows, as for tokenizers.
    """

    default_input_names = "question,context"
    handle_impossible_answer = False
    outputs_per_token = True

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        modelcard: Any = None,
        framework: str | None = None,
        task: str = "",
        **kwargs: Any,
    ) -> None:
        super().__init__(
            model=model, tokenizer=tokenizer, modelcard=modelcard, framework=framework, task=task, **kwargs
        )
        from ..models.auto.modeling_auto import MODEL_FOR_QUESTION_ANSWERING_MAPPING

        self._args_parser = QuestionAnsweringArgumentHandler()
        self.check_model_type(MODEL_FOR_QUESTION_ANSWERING_MAPPING)

    @staticmethod
    def create_sample(question: Any, context: Any) -> Any:
        """The example, or examples, of questions and contexts."""
        if isinstance(question, list):
            return [SquadExample(None, q, c, None, None, None) for q, c in zip(question, context)]
        return SquadExample(None, question, context, None, None, None)

    def _sanitize_parameters(
        self,
        padding: Any = None,
        topk: int | None = None,
        top_k: int | None = None,
        doc_stride: int | None = None,
        max_answer_len: int | None = None,
        max_seq_len: int | None = None,
        max_question_len: int | None = None,
        handle_impossible_answer: bool | None = None,
        align_to_words: bool | None = None,
        **kwargs: Any,
    ) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        if topk is not None and top_k is None:
            warnings.warn("topk parameter is deprecated, use top_k instead", UserWarning, stacklevel=2)
            top_k = topk
        for name, value in (("top_k", top_k), ("max_answer_len", max_answer_len)):
            if value is not None and value < 1:
                raise ValueError(f"{name} parameter should be >= 1 (got {value})")
        before = {
            "padding": padding,
            "doc_stride": doc_stride,
            "max_question_len": max_question_len,
            "max_seq_len": max_seq_len,
        }
        after = {
            "top_k": top_k,
            "max_answer_len": max_answer_len,
            "handle_impossible_answer": handle_impossible_answer,
            "align_to_words": align_to_words,
        }
        return _given(before), {}, _given(after)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Answer.

        Args:
            args: One or several `SquadExample` or `{"question", "context"}`, a question and a context, or a dataset.
            X, data: The same by keyword.
            question, context: One or several questions, and a context for each or one for all.

        Returns:
            For each question `{"score", "start", "end", "answer"}` (a list of these with `top_k`); `start` and `end`
            count characters of the context.
        """
        examples = self._args_parser(*args, **kwargs)
        if isinstance(examples, list) and len(examples) == 1:
            return super().__call__(examples[0], **kwargs)
        return super().__call__(examples, **kwargs)

    def preprocess(
        self,
        example: Any,
        padding: Any = "do_not_pad",
        doc_stride: int | None = None,
        max_question_len: int = 64,
        max_seq_len: int | None = None,
    ) -> Iterator[dict[str, Any]]:
        if isinstance(example, dict):
            example = self._args_parser.normalize(example)
        if max_seq_len is None:
            max_seq_len = min(self.tokenizer.model_max_length, 384)
        if doc_stride is None:
            doc_stride = min(max_seq_len // 2, 128)
        if doc_stride > max_seq_len:
            raise ValueError(f"`doc_stride` ({doc_stride}) is larger than `max_seq_len` ({max_seq_len})")
        if self.tokenizer.is_fast:
            windows = self._fast_windows(example, padding, doc_stride, max_seq_len)
        else:
            windows = self._slow_windows(example, doc_stride, max_question_len, max_seq_len)
        for index, window in enumerate(windows):
            tensors = {
                name: torch.tensor([window[name]]) for name in self.tokenizer.model_input_names if name in window
            }
            hidden = {"p_mask": self._p_mask(window), "locate": window["locate"]}
            yield {"example": example, "is_last": index == len(windows) - 1, "window": hidden, **tensors}

    def _p_mask(self, window: dict[str, Any]) -> np.ndarray:
        """One for tokens that are not of the context, except the token that stands for "no answer"."""
        p_mask = 1 - np.asarray(window["is_context"], dtype=np.int64)
        if self.tokenizer.cls_token_id is not None:
            p_mask[np.asarray(window["input_ids"]) == self.tokenizer.cls_token_id] = 0
        return p_mask

    def _fast_windows(
        self, example: SquadExample, padding: Any, doc_stride: int, max_seq_len: int
    ) -> list[dict[str, Any]]:
        question_first = self.tokenizer.padding_side == "right"
        texts = (example.question_text, example.context_text)
        encoded = self.tokenizer(
            *(texts if question_first else reversed(texts)),
            padding=padding,
            truncation="only_second" if question_first else "only_first",
            max_length=max_seq_len,
            stride=doc_stride,
            return_token_type_ids=True,
            return_overflowing_tokens=True,
            return_offsets_mapping=True,
            return_special_tokens_mask=True,
        )
        context = 1 if question_first else 0
        windows = []
        for index, encoding in enumerate(encoded.encodings):
            window = {name: values[index] for name, values in encoded.items()}
            window["is_context"] = [sequence == context for sequence in encoded.sequence_ids(index)]
            window["locate"] = _Locator(self, encoding, context)
            windows.append(window)
        return windows

    def _slow_windows(
        self, example: SquadExample, doc_stride: int, max_question_len: int, max_seq_len: int
    ) -> list[dict[str, Any]]:
        """Windows by words, for tokenizers that do not know where their tokens lie. They advance by `doc_stride`."""
        words, word_of = example.doc_tokens, example.char_to_word_offset
        pieces = [(index, token) for index, word in enumerate(words) for token in self._word_tokens(word, index)]
        ids = self.tokenizer.convert_tokens_to_ids([token for _, token in pieces])
        question = self.tokenizer.encode(
            example.question_text, add_special_tokens=False, truncation=True, max_length=max_question_len
        )
        added = self.tokenizer.num_special_tokens_to_add(pair=True)
        room = max_seq_len - len(question) - added
        if room < 1:
            raise ValueError(f"max_seq_len ({max_seq_len}) leaves no room for the context beside the question")
        # Where the context begins among the special tokens: found by a marker that no vocabulary holds.
        offset = self.tokenizer.build_inputs_with_special_tokens(question, [-1]).index(-1)
        windows = []
        for first in range(0, max(len(ids), 1), min(doc_stride, room)):
            part = ids[first : first + room]
            window = dict(self.tokenizer.prepare_for_model(question, part, return_token_type_ids=True))
            length = len(window["input_ids"])
            window["is_context"] = [offset <= position < offset + len(part) for position in range(length)]
            owners = [index for index, _ in pieces[first : first + room]]
            window["locate"] = _WordLocator(words, word_of, owners, offset)
            windows.append(window)
            if first + room >= len(ids):
                break
        return windows

    def _word_tokens(self, word: str, index: int) -> list[str]:
        # Byte-level tokenizers spell a word that follows a space differently.
        prefix_space = hasattr(self.tokenizer, "add_prefix_space")
        return self.tokenizer.tokenize(word, **({"add_prefix_space": True} if prefix_space else {}))

    def _forward(self, inputs: dict[str, Any]) -> dict[str, Any]:
        kept = {key: inputs[key] for key in ("example", "window", "is_last")}
        model_inputs = {key: inputs[key] for key in self.tokenizer.model_input_names if key in inputs}
        extra = {"use_cache": False} if accepts(self.model, "use_cache") else {}
        output = self.model(**model_inputs, **extra)
        start, end = (output["start_logits"], output["end_logits"]) if isinstance(output, dict) else output[:2]
        mask = {key: model_inputs[key] for key in ("attention_mask",) if key in model_inputs}
        return {**kept, "start": start, "end": end, **mask}

    def postprocess(
        self,
        model_outputs: list[dict[str, Any]],
        top_k: int = 1,
        handle_impossible_answer: bool = False,
        max_answer_len: int = 15,
        align_to_words: bool = True,
    ) -> Any:
        min_null_score = 1000000.0
        answers: list[dict[str, Any]] = []
        for output in model_outputs:
            example, p_mask = output["example"], output["window"]["p_mask"]
            start, end, mask = (
                self._without_batch_padding(output.get(name), len(p_mask))
                for name in ("start", "end", "attention_mask")
            )
            starts, ends, scores, min_null_score = select_starts_ends(
                start, end, p_mask, mask, min_null_score, top_k, handle_impossible_answer, max_answer_len
            )
            for first, last, score in zip(starts, ends, scores):
                place = output["window"]["locate"](example, int(first), int(last), align_to_words)
                answers.append({"score": score.item(), **place})
        if handle_impossible_answer:
            answers.append({"score": min_null_score, "start": 0, "end": 0, "answer": ""})
        answers = sorted(answers, key=lambda answer: answer["score"], reverse=True)[:top_k]
        return answers[0] if len(answers) == 1 else answers

    def _without_batch_padding(self, values: torch.Tensor | None, length: int) -> Any:
        """Row of a batch `(1, padded)` as an array `(1, length)`."""
        if values is None:
            return None
        array = (values.float() if values.is_floating_point() else values).numpy()
        return array[:, -length:] if self.tokenizer.padding_side == "left" else array[:, :length]

    def get_indices(self, enc: Any, s: int, e: int, sequence_index: int, align_to_words: bool) -> tuple[int, int]:
        """The characters from token `s` to token `e` of an encoding, widened to whole words if asked for."""
        if align_to_words:
            first, last = enc.token_to_word(s), enc.token_to_word(e)
            if first is not None and last is not None:
                return (
                    enc.word_to_chars(first, sequence_index=sequence_index)[0],
                    enc.word_to_chars(last, sequence_index=sequence_index)[1],
                )
        return enc.offsets[s][0], enc.offsets[e][1]

    def span_to_answer(self, text: str, start: int, end: int) -> dict[str, str | int]:
        """The answer from word number `start` to word number `end` of a text: its words, and its characters.

        Tokens are the words of the text, split at spaces, each tokenized alone.
        """
        words: list[str] = []
        character = token = first_character = last_character = 0
        for word in text.split(" "):
            pieces = len(self.tokenizer.tokenize(word))
            if token <= start < token + pieces:
                first_character = character
            if token <= end < token + pieces:
                last_character = character + len(word)
            if start <= token <= end or token <= start < token + pieces:
                words.append(word)
            if token > end:
                break
            token += pieces
            character += len(word) + 1
        return {
            "answer": " ".join(words),
            "start": max(0, first_character),
            "end": min(len(text), last_character),
        }


class _Locator:
    """Where the tokens of a window lie in the context, by the encoding of a fast tokenizer."""

    def __init__(self, pipeline: QuestionAnsweringPipeline, encoding: Any, sequence: int) -> None:
        self.pipeline, self.encoding, self.sequence = pipeline, encoding, sequence

    def __call__(self, example: SquadExample, first: int, last: int, align_to_words: bool) -> dict[str, Any]:
        start, end = self.pipeline.get_indices(self.encoding, first, last, self.sequence, align_to_words)
        return {"start": start, "end": end, "answer": example.context_text[start:end]}


class _WordLocator:
    """The same, by the words that the tokens of a slow tokenizer come from."""

    def __init__(self, words: list[str], word_of: list[int], owners: list[int], offset: int) -> None:
        self.words, self.word_of, self.owners, self.offset = words, word_of, owners, offset

    def __call__(self, example: SquadExample, first: int, last: int, align_to_words: bool) -> dict[str, Any]:
        first_word, last_word = self.owners[first - self.offset], self.owners[last - self.offset]
        start = self.word_of.index(first_word)
        end = len(self.word_of) - 1 - self.word_of[::-1].index(last_word)
        return {"start": start, "end": end, "answer": " ".join(self.words[first_word : last_word + 1])}


def _given(options: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}
