"""Throughput of `pipeline("text-classification")` with `batch_size="auto"`, against the newest transformers.

    python benchmarks/pipeline.py --peer-python /path/to/venv-with-transformers/bin/python

Runs alternate between the two libraries, each in a fresh process; the best of each counts. Two corpora: short texts of
5 to 40 tokens, against the peer's batch size 1, and mixed texts of 5 to 400 tokens, against its best fixed batch size.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
WORDS = [f"w{number}" for number in range(8000)]
CORPORA = {"short": (2000, 5, 40), "mixed": (600, 5, 400)}
RUNS = {
    "short": [("peer", 1), ("isoform", "auto"), ("isoform", 1)],
    "mixed": [("peer", 1), ("isoform", "auto"), ("peer", 8), ("peer", 32)],
}


def make_model(folder: Path, layers: int, width: int) -> None:
    """A decoder with a classification head and a tokenizer that makes one token of each word."""
    from tokenizers import Tokenizer, models, pre_tokenizers

    import isoform

    vocab = {word: index for index, word in enumerate(["<pad>", "<unk>", *WORDS])}
    backend = Tokenizer(models.WordLevel(vocab, unk_token="<unk>"))
    backend.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer = isoform.PreTrainedTokenizerFast(
        tokenizer_object=backend,
        pad_token="<pad>",
        unk_token="<unk>",
        model_max_length=512,
        model_input_names=["input_ids", "attention_mask"],
    )
    config = isoform.GPT2Config(
        vocab_size=len(vocab), n_positions=512, n_embd=width, n_layer=layers, n_head=width // 64, pad_token_id=0
    )
    isoform.GPT2ForSequenceClassification(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def texts(corpus: str) -> list[str]:
    """The texts of a corpus: always the same."""
    count, shortest, longest = CORPORA[corpus]
    rng = random.Random(corpus)
    return [" ".join(rng.choices(WORDS, k=rng.randint(shortest, longest))) for _ in range(count)]


def worker(folder: str, library: str, corpus: str, batch_size: int | str) -> None:
    """Print the texts per second of one library, as JSON."""
    import torch

    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "2")))
    package = __import__("isoform" if library == "isoform" else "transformers")
    pipe = package.pipeline("text-classification", model=folder, device="cpu")
    inputs = texts(corpus)
    pipe(inputs[:32], batch_size=batch_size)
    start = time.perf_counter()
    results = pipe(inputs, batch_size=batch_size)
    seconds = time.perf_counter() - start
    assert len(results) == len(inputs)
    print(json.dumps({"rate": len(inputs) / seconds, "scores": [result["score"] for result in results]}))


def measure(python: str, folder: str, library: str, corpus: str, batch_size: int | str) -> dict[str, Any]:
    """One run in a process of its own."""
    command = [python, __file__, "--worker", folder, library, corpus, str(batch_size)]
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "2")}
    if library == "isoform":
        environment["PYTHONPATH"] = str(ROOT)
    output = subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout
    return json.loads(output.splitlines()[-1])


def main() -> None:
    """Compare and print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peer-python", required=True, help="Python with the newest transformers installed")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--width", type=int, default=256)
    parser.add_argument("--corpus", choices=list(CORPORA), action="append")
    options = parser.parse_args()
    sys.path.insert(0, str(ROOT))
    with tempfile.TemporaryDirectory() as folder:
        make_model(Path(folder), options.layers, options.width)
        for corpus in options.corpus or CORPORA:
            compare(folder, corpus, options)


def compare(folder: str, corpus: str, options: argparse.Namespace) -> None:
    """All runs over one corpus."""
    rates: dict[tuple[str, Any], list[float]] = defaultdict(list)
    scores: dict[str, list[float]] = {}
    for _ in range(options.rounds):
        for library, batch_size in RUNS[corpus]:
            python = sys.executable if library == "isoform" else options.peer_python
            result = measure(python, folder, library, corpus, batch_size)
            rates[library, batch_size].append(result["rate"])
            scores[library] = result["scores"]
    print(f"{corpus}: {CORPORA[corpus][0]} texts of {CORPORA[corpus][1]} to {CORPORA[corpus][2]} tokens")
    for (library, batch_size), values in rates.items():
        every = [round(v) for v in values]
        print(f"  {library:8} batch_size={batch_size!s:5} {max(values):7.1f} texts/s  (all: {every})")
    peer = max(max(values) for (library, _), values in rates.items() if library == "peer")
    ours = max(rates["isoform", "auto"])
    apart = max(abs(a - b) for a, b in zip(scores["isoform"], scores["peer"]))
    print(f"  ratio auto / best of the peer: {ours / peer:.2f}   largest difference of scores: {apart:.1e}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--worker"]:
        size = sys.argv[5]
        worker(*sys.argv[2:5], batch_size=size if size == "auto" else int(size))
    else:
        main()
