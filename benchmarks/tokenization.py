"""Speed of tokenizers against another installation of `transformers` (4.36 or the newest).

    python benchmarks/tokenization.py --peer PATH/TO/PEER/python [--checkpoint FOLDER] [--text FILE] [--runs 5]

The checkpoint is a folder with `vocab.json` and `merges.txt` of a GPT-2 like tokenizer, by default the small one of the
tests; the text is by default the source code of isoform. Each run is a process of its own, the two libraries in turn,
one thread each. Prints medians in milliseconds and the ratio peer / isoform (above 1: isoform is faster). A measure
that the peer cannot take (the newest version has no Python tokenizers) is left out.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

CHILD = """
import json, sys, time
library, folder, source = sys.argv[1:]
began = time.perf_counter()
module = __import__(library)
AutoTokenizer = module.AutoTokenizer
result = {"import AutoTokenizer": time.perf_counter() - began}

def clock(name, work):
    best = float("inf")
    for _ in range(3):
        start = time.perf_counter()
        value = work()
        best = min(best, time.perf_counter() - start)
    result[name] = best
    return value

lines = [line for line in open(source, encoding="utf-8").read().split("\\n") if line.strip()]
text = "\\n".join(lines)[:200_000]
lines = lines[:3000]
load = lambda **options: AutoTokenizer.from_pretrained(folder, **options)
fast = clock("load, fast", load)
clock("one short text, fast, x 1000", lambda: [fast("The quick brown fox jumps.") for _ in range(1000)])
clock("3000 lines one by one, fast", lambda: [fast(line) for line in lines])
batch = clock("3000 lines as a batch, fast", lambda: fast(lines))["input_ids"]
clock("3000 lines padded and truncated to tensors, fast", lambda: pad(fast))
clock("200,000 characters, fast", lambda: fast(text))
clock("3000 lines decoded, fast", lambda: fast.batch_decode(batch))
slow = load(use_fast=False)
if not slow.is_fast:
    clock("load, slow", lambda: load(use_fast=False))
    # A new tokenizer each time: words are remembered.
    clock("200,000 characters, slow, new words", lambda: load(use_fast=False)(text))
    clock("3000 lines one by one, slow", lambda: [slow(line) for line in lines])
    clock("3000 lines decoded, slow", lambda: slow.batch_decode(batch))
print(json.dumps(result))
""".replace(
    "def clock(",
    "def pad(tokenizer):\n"
    "    tokenizer.pad_token = tokenizer.eos_token\n"
    "    return tokenizer(lines, padding=True, truncation=True, max_length=64, return_tensors='np')\n\n"
    "def clock(",
)


def measure(python: str, library: str, folder: str, text: str) -> dict[str, float]:
    """One run in a new process: seconds by measure."""
    environment = {
        **os.environ,
        "HF_HUB_OFFLINE": "1",
        "TOKENIZERS_PARALLELISM": "false",
        "OMP_NUM_THREADS": "1",
        "TRANSFORMERS_VERBOSITY": "error",
        "TRANSFORMERS_NO_ADVISORY_WARNINGS": "1",
    }
    if library == "isoform":
        environment["PYTHONPATH"] = str(ROOT)
    # -P: without this script's folder, whose name is that of the Rust library, on the path.
    command = [python, "-P", "-c", CHILD, library, folder, text]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, cwd="/")
    if result.returncode:
        sys.exit(f"{library} failed:\n{result.stderr[-3000:]}")
    return json.loads(result.stdout.splitlines()[-1])


def make_checkpoint(source: Path, target: Path) -> None:
    """A folder that every version of AutoTokenizer understands."""
    for name in ("vocab.json", "merges.txt"):
        (target / name).write_bytes((source / name).read_bytes())
    (target / "config.json").write_text('{"model_type": "gpt2"}')
    (target / "tokenizer_config.json").write_text('{"tokenizer_class": "GPT2Tokenizer", "model_max_length": 1000000}')


def main() -> None:
    """Run the benchmark and print its table."""
    import tempfile

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer", required=True, help="Python interpreter of a virtual environment with transformers")
    parser.add_argument("--checkpoint", default=ROOT / "tests/golden/tokenizers/bpe", type=Path)
    parser.add_argument("--text", type=Path, help="UTF-8 text file")
    parser.add_argument("--runs", type=int, default=5)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "checkpoint")
        folder.mkdir()
        make_checkpoint(arguments.checkpoint, folder)
        text = arguments.text or Path(name, "text.txt")
        if arguments.text is None:
            sources = sorted((ROOT / "isoform").rglob("*.py"))
            text.write_text("\n".join(path.read_text(encoding="utf-8") for path in sources), encoding="utf-8")
        runs: dict[str, list[dict[str, float]]] = {"isoform": [], "transformers": []}
        pythons = {"isoform": sys.executable, "transformers": arguments.peer}
        for _ in range(arguments.runs):
            for library, python in pythons.items():
                runs[library].append(measure(python, library, str(folder), str(text.resolve())))
    print(f"{'measure':52}{'isoform ms':>12}{'peer ms':>12}{'ratio':>8}")
    for key in runs["isoform"][0]:
        ours, theirs = (
            statistics.median(run[key] for run in found if key in run) if key in found[0] else None
            for found in runs.values()
        )
        if ours is not None and theirs is not None:
            print(f"{key:52}{ours * 1000:12.2f}{theirs * 1000:12.2f}{theirs / ours:8.2f}")


if __name__ == "__main__":
    main()
