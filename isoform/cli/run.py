"""`isoform run TASK`: a pipeline over texts, files or standard input."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from typing import Any

from .common import UsageError, add_model_options, pick_device, plain, read_lines, text_argument, torch_dtype
from .media import Saver, existing_file, mask_share

EXAMPLES = """examples:
  isoform run text-classification -m MODEL "I like it" "I do not"
  isoform run ner -m MODEL @letter.txt -o aggregation_strategy=simple
  isoform run question-answering -m MODEL --context @report.txt --question "Who wrote it?"
  isoform run zero-shot-classification -m MODEL --labels "sports,politics" --input texts.jsonl --jsonl > results.jsonl
  cat prompts.txt | isoform run text-generation -o max_new_tokens=40
  isoform run object-detection photo.jpg --save out.png
  isoform run zero-shot-image-classification -m MODEL --labels "cat,dog" *.jpg
  isoform run automatic-speech-recognition talk.wav -o chunk_length_s=20 --save talk.srt
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    from ..pipelines.tasks import TASK_ALIASES, TASKS

    parser.epilog, parser.formatter_class = EXAMPLES, argparse.RawDescriptionHelpFormatter
    parser.add_argument("task", metavar="TASK", help=", ".join(sorted([*TASKS, *TASK_ALIASES, "translation_xx_to_yy"])))
    parser.add_argument(
        "inputs",
        nargs="*",
        metavar="INPUT",
        help='a text ("@FILE" for the content of a file); for images and sounds a file or URL',
    )
    add_model_options(parser, "the embedded checkpoint for text-generation, else the task's default")
    group = parser.add_argument_group("inputs and outputs")
    group.add_argument(
        "-i",
        "--input",
        action="append",
        default=[],
        metavar="FILE",
        help='a file with one input on each line (parsed if it ends in .jsonl; "-" for standard input)',
    )
    group.add_argument("--jsonl", action="store_true", help="print one JSON object for each input")
    group.add_argument("--output", metavar="FILE", help="write there instead of to standard output")
    group.add_argument(
        "--save",
        metavar="PATH",
        help="write a picture of boxes, masks or depth, or subtitles (.srt) of speech; a folder for several inputs",
    )
    group.add_argument("--quiet", action="store_true", help="no progress bar")
    group = parser.add_argument_group("task")
    group.add_argument("--question", help='for question-answering ("@FILE" too)')
    group.add_argument("--context", help='for question-answering: the text to read ("@FILE" too); inputs are questions')
    group.add_argument("--labels", help="for zero-shot tasks: labels with commas between them")
    group.add_argument(
        "-o",
        "--option",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="an argument of the pipeline's call, such as top_k=3; values are JSON, or else text",
    )
    group.add_argument("--batch-size", default="auto", help='a number, or "auto" (default): batches of similar lengths')


def execute(options: argparse.Namespace) -> int:
    """Run."""
    task = _check_task(options.task)
    batch_size = _batch_size(options.batch_size)
    call = _call_options(options, task)
    saver = Saver(options.save, task, call) if options.save else None
    inputs = _inputs(options, task)
    listed = inputs if isinstance(inputs, list) else None
    single = listed is not None and len(listed) == 1
    if saver is not None:
        if not single:
            saver.use_folder()
        saver.check()
    pipe = _build(options, task)
    prepare: Callable[[Any], Any] = _conversation if task == "conversational" else lambda item: item
    with _progress(options, inputs) as bar, _output(options) as out:
        sources: deque[Any] = deque()
        results = pipe(
            _remembered(inputs, sources, prepare) if listed is None else list(map(prepare, listed)),
            batch_size=batch_size,
            **call,
        )
        for index, result in enumerate(_per_input(results, task, single)):
            source = sources.popleft() if listed is None else listed[index]
            if saver is not None:
                saver.save(source, result)
            _write(out, source, plain(result), options.jsonl, alone=single)
            bar.update()
    return 0


def _check_task(task: str) -> str:
    from ..pipelines.tasks import TASK_ALIASES, TASKS

    if task.startswith("translation_"):  # the languages are part of the name
        parts = task.split("_")
        if len(parts) != 4 or parts[2] != "to":
            raise UsageError(f"there is no task {task!r}: a translation is written translation_xx_to_yy")
        return task
    if task not in TASKS and task not in TASK_ALIASES:
        raise UsageError(f"there is no task {task!r}; choose from {', '.join(sorted([*TASKS, *TASK_ALIASES]))}")
    return TASK_ALIASES.get(task, task)


def _batch_size(value: str) -> int | str:
    if value == "auto":
        return value
    if not value.isdigit() or int(value) < 1:
        raise UsageError(f'--batch-size must be a positive number or "auto", found {value!r}')
    return int(value)


def _call_options(options: argparse.Namespace, task: str) -> dict[str, Any]:
    """The keyword arguments for the pipeline's call."""
    call: dict[str, Any] = {}
    for entry in options.option:
        name, equals, value = entry.partition("=")
        if not equals or not name.isidentifier():
            raise UsageError(f"--option expects NAME=VALUE, found {entry!r}")
        try:
            call[name] = json.loads(value)
        except json.JSONDecodeError:
            call[name] = value
    if options.labels is not None:
        if not task.startswith("zero-shot-"):
            raise UsageError(f"--labels is for zero-shot tasks, not for {task}")
        call["candidate_labels"] = options.labels
    if task.startswith("zero-shot-") and not call.get("candidate_labels"):
        raise UsageError(f'{task} needs labels to choose from: --labels "first,second"')
    return call


def _inputs(options: argparse.Namespace, task: str) -> list[Any] | Iterator[Any]:
    """A list of inputs, or an iterator over those of files and standard input."""
    from ..pipelines.tasks import TASKS

    medium = TASKS[task].medium if task in TASKS else "text"
    if medium != "text":
        given: list[Any] = [existing_file(path, medium) for path in options.inputs]
        read = _given_or_read(options, given)
        return read if isinstance(read, list) else (existing_file(entry, medium) for entry in read)
    given = [text_argument(text) for text in options.inputs]
    if task == "question-answering":
        return _questions(options, given)
    if options.question is not None or options.context is not None:
        raise UsageError(f"--question and --context are for question-answering, not for {task}")
    return _given_or_read(options, given)


def _given_or_read(options: argparse.Namespace, given: list[Any]) -> list[Any] | Iterator[Any]:
    if options.input:
        for path in options.input:
            if path != "-" and not os.path.isfile(path):
                raise UsageError(f"there is no file {path}")
        return _chained(given, options.input)
    if given:
        return given
    if sys.stdin is None or sys.stdin.isatty():
        raise UsageError("no input: give texts (files of images or sounds), --input FILE, or pipe lines in")
    return _chained([], ["-"])


def _chained(given: list[Any], paths: list[str]) -> Iterator[Any]:
    yield from given
    for path in paths:
        yield from read_lines(path)


def _questions(options: argparse.Namespace, given: list[Any]) -> list[Any] | Iterator[Any]:
    """Questions with their contexts: from --question, the inputs, or objects with both keys."""
    context = None if options.context is None else text_argument(options.context)
    if options.question is not None:
        given = [text_argument(options.question), *given]
    questions = _given_or_read(options, given)
    paired = (_with_context(question, context) for question in questions)
    return list(paired) if isinstance(questions, list) else paired


def _with_context(question: Any, context: str | None) -> dict[str, Any]:
    if isinstance(question, dict):
        question = {**({} if context is None else {"context": context}), **question}
    elif context is not None:
        question = {"question": question, "context": context}
    if not isinstance(question, dict) or not {"question", "context"} <= set(question):
        raise UsageError('a question needs its text: give --context, or .jsonl lines with "question" and "context"')
    return question


def _build(options: argparse.Namespace, task: str) -> Any:
    """The pipeline."""
    from . import default_model_path

    model = options.model or (default_model_path() if task == "text-generation" else None)
    more: dict[str, Any] = {}
    if options.tokenizer:
        if model is None:
            raise UsageError("--tokenizer needs --model")
        more["tokenizer"] = options.tokenizer
    device = pick_device(options.device)
    from .. import pipeline

    return pipeline(
        task,
        model=model,
        revision=options.revision,
        device=device,
        torch_dtype=torch_dtype(options.dtype),
        trust_remote_code=options.trust_remote_code or None,
        **more,
    )


def _per_input(results: Any, task: str, single: bool) -> Iterable[Any]:
    """One result for each input: some pipelines do not wrap that of a single one."""
    return [results] if single and task in ("question-answering", "conversational", "fill-mask") else results


def _remembered(inputs: Iterable[Any], sources: deque[Any], prepare: Callable[[Any], Any]) -> Iterator[Any]:
    """Passes prepared inputs on and keeps them as they were, to be printed beside their results."""
    for item in inputs:
        sources.append(item)
        yield prepare(item)


def _conversation(messages: Any) -> Any:
    """The conversation that a text begins, or that a list of messages is."""
    from ..pipelines.conversational import Conversation

    return Conversation(messages)


def _progress(options: argparse.Namespace, inputs: Any) -> Any:
    from tqdm import tqdm

    total = len(inputs) if isinstance(inputs, list) else None
    mixed = options.output is None and sys.stdout.isatty()  # results and bar would share the screen
    hidden = options.quiet or total == 1 or mixed or not sys.stderr.isatty()
    return tqdm(total=total, unit=" inputs", file=sys.stderr, disable=hidden)


def _output(options: argparse.Namespace) -> Any:
    return nullcontext(sys.stdout) if options.output is None else open(options.output, "w", encoding="utf-8")


def _write(out: Any, source: Any, result: Any, jsonl: bool, alone: bool) -> None:
    if jsonl:
        print(json.dumps({"input": source, "result": result}, ensure_ascii=False), file=out, flush=True)
        return
    if not alone:
        print(f"> {_title(source)}", file=out)
    for line in describe(result):
        print(line, file=out)
    if not alone:
        print(file=out)
    out.flush()


def _title(source: Any) -> str:
    text = source.get("question") or source.get("text") or str(source) if isinstance(source, dict) else str(source)
    text = " ".join(text.split())
    return text if len(text) <= 100 else text[:99] + "…"


def describe(result: Any) -> Iterator[str]:
    """The result of one input as lines for people."""
    if isinstance(result, dict) and {"labels", "scores"} <= set(result):
        yield from (f"{score:.4f}  {label}" for label, score in zip(result["labels"], result["scores"]))
    elif isinstance(result, dict) and "chunks" in result:
        for chunk in result["chunks"]:
            start, end = chunk["timestamp"]
            yield f"[{start:.2f} - {end:.2f}]  {chunk['text']}"
    elif isinstance(result, dict):
        yield _entry(result)
    elif isinstance(result, list) and _is_numeric(result):
        yield _numbers(result)
    elif isinstance(result, list):
        for entry in result:
            yield from describe(entry)
    else:
        yield str(result)


def _entry(entry: dict[str, Any]) -> str:
    if {"role", "content"} <= set(entry):
        return f"{entry['role']}: {entry['content']}"
    for key in ("generated_text", "summary_text", "translation_text", "text", "answer"):
        if key in entry and "score" not in entry:
            return str(entry[key])
    if "mask" in entry:
        score = "" if entry["score"] is None else f"{entry['score']:.4f}  "
        return f"{score}{entry['label']}  {mask_share(entry['mask']):.1%} of the image"
    if "predicted_depth" in entry:
        return f"depth: {_numbers(entry['predicted_depth'])}"
    if "score" not in entry:
        return json.dumps(entry, ensure_ascii=False)
    label = entry.get("entity_group") or entry.get("entity") or entry.get("label")
    parts = [f"{entry['score']:.4f}"]
    if "token_str" in entry:
        label = entry["token_str"].strip()
    named = (label, entry.get("word"), entry.get("answer"), entry.get("sequence"))
    parts += [str(part) for part in named if part is not None]
    if "box" in entry:
        parts.append(str(list(entry["box"].values())))
    if entry.get("start") is not None:
        parts.append(f"[{entry['start']}:{entry['end']}]")
    return "  ".join(parts)


def _is_numeric(value: Any) -> bool:
    while isinstance(value, list) and value:
        value = value[0]
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _numbers(value: Any) -> str:
    """The shape of nested lists, and where they begin."""
    shape = []
    while isinstance(value, list):
        shape.append(len(value))
        first, value = value, value[0] if value else None
    head = ", ".join(f"{number:.4f}" for number in first[:4])
    return f"{' x '.join(map(str, shape))} numbers: {head}{', …' if len(first) > 4 else ''}"
