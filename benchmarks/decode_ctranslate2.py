"""Compiled decoding in float32 against CTranslate2, on the shape of GPT-2 124M: one text, 32 + 64 tokens.

    python benchmarks/decode_ctranslate2.py --peer-python PATH/TO/PEER/python [--rounds 3] [--threads 2]

The peer needs `transformers` (to write a checkpoint that CTranslate2 converts) and `ctranslate2`. Each run
is a process of its own, the two libraries in turn; in a process the fastest of several calls counts.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

CONVERT = """
import sys, torch, transformers
from ctranslate2.converters import TransformersConverter
from tokenizers import Tokenizer, models
folder = sys.argv[1]
torch.manual_seed(0)
transformers.GPT2LMHeadModel(transformers.GPT2Config(bos_token_id=0, eos_token_id=0)).save_pretrained(folder + "/model")
words = Tokenizer(models.WordLevel({f"t{i}": i for i in range(50257)}, unk_token="t0"))
special = {"bos_token": "t0", "eos_token": "t0", "unk_token": "t0"}
transformers.PreTrainedTokenizerFast(tokenizer_object=words, **special).save_pretrained(folder + "/model")
TransformersConverter(folder + "/model").convert(folder + "/ct2")
"""

CTRANSLATE2 = """
import sys, time, ctranslate2
folder, threads, calls = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
generator = ctranslate2.Generator(folder + "/ct2", device="cpu", compute_type="float32", intra_threads=threads)
prompt = [[f"t{i + 1}" for i in range(32)]]
def run():
    start = time.perf_counter()
    generator.generate_batch(prompt, max_length=64, min_length=64, sampling_topk=1, include_prompt_in_result=False)
    return time.perf_counter() - start
run()
print(64 / min(run() for _ in range(calls)))
"""

ISOFORM = """
import sys, time, torch, isoform
folder, threads, calls = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
torch.set_num_threads(threads)
model = isoform.GPT2LMHeadModel.from_pretrained(folder + "/model")
ids = torch.arange(1, 33)[None]
def run():
    start = time.perf_counter()
    model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=64, min_new_tokens=64, do_sample=False,
                   pad_token_id=0, eos_token_id=None, compile_decoding=True)
    return time.perf_counter() - start
run()
print(64 / min(run() for _ in range(calls)))
"""


def call(python: str, source: str, *arguments: str) -> str:
    """What a new process of `python` prints last."""
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "PYTHONPATH": str(ROOT)}
    done = subprocess.run([python, "-c", source, *arguments], capture_output=True, text=True, env=environment)
    if done.returncode:
        sys.exit(f"{python} failed:\n{done.stderr[-3000:]}")
    return done.stdout.strip().splitlines()[-1] if done.stdout.strip() else ""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer-python", required=True)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--calls", type=int, default=4)
    options = parser.parse_args()
    rates: dict[str, list[float]] = {"isoform": [], "ctranslate2": []}
    with tempfile.TemporaryDirectory() as folder:
        call(options.peer_python, CONVERT, folder)
        arguments = (folder, str(options.threads), str(options.calls))
        for _ in range(options.rounds):
            rates["isoform"].append(float(call(sys.executable, ISOFORM, *arguments)))
            rates["ctranslate2"].append(float(call(options.peer_python, CTRANSLATE2, *arguments)))
    ours, theirs = (statistics.median(values) for values in rates.values())
    print(json.dumps({name: [round(rate, 1) for rate in values] for name, values in rates.items()}))
    print(f"isoform {ours:.1f} tokens/s, CTranslate2 {theirs:.1f} tokens/s, ratio {ours / theirs:.2f}")


if __name__ == "__main__":
    main()
