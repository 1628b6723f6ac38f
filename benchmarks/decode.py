"""Speed of `generate` against the newest `transformers`, and the fraction of memory bandwidth that it reaches.

    python benchmarks/decode.py --peer-python PATH/TO/PEER/python [--rounds 3] [--threads 2] [--cases NAME ...]

Each run is a process of its own, the two libraries in turn; in a process the best of several calls counts, and of the
rounds the median. Models have random weights. Compiled decoding is compared with the peer's ordinary decoding.

Decoding reads every weight once per token, so memory sets a limit. The last columns give the weights' bytes times the
tokens per second (of one row or of all beams together), and that as a fraction of the bandwidth measured before.
"""

from __future__ import annotations

import argparse
import sys

from common import in_turns, parser, run

# name -> (width, layers, heads, vocabulary), dtype, batch, prompt, new tokens, arguments of ours alone, of both, target
SMALL, GPT2 = (64, 4, 4, 1000), (768, 12, 12, 50257)
COMPILED = {"compile_decoding": True}
CASES = {
    "tiny": (SMALL, "float32", 1, 32, 128, {}, {}, 1.5),
    "tiny beam 4": (SMALL, "float32", 1, 32, 128, {}, {"num_beams": 4}, 1.3),
    "tiny batch 8, padded": (SMALL, "float32", 8, 32, 128, {}, {}, 1.3),
    "tiny compiled": (SMALL, "float32", 1, 32, 128, COMPILED, {}, None),
    "gpt2 fp32": (GPT2, "float32", 1, 32, 64, {}, {}, 1.1),
    "gpt2 bf16": (GPT2, "bfloat16", 1, 32, 64, {}, {}, 1.1),
    "gpt2 fp32 compiled": (GPT2, "float32", 1, 32, 64, COMPILED, {}, 2.4),
    "gpt2 bf16 compiled": (GPT2, "bfloat16", 1, 32, 64, COMPILED, {}, 1.7),
    "gpt2 fp32 beam 4": (GPT2, "float32", 1, 32, 64, {}, {"num_beams": 4}, 1.3),
    "gpt2 fp32 batch 8, padded": (GPT2, "float32", 8, 32, 64, {}, {}, 1.3),
    "gpt2 fp32 beam 4 compiled": (GPT2, "float32", 1, 32, 64, COMPILED, {"num_beams": 4}, None),
    "gpt2 fp32 batch 8, padded, compiled": (GPT2, "float32", 8, 32, 64, COMPILED, {}, None),
}

CHILD = """
import importlib, json, sys, time, warnings
import torch
warnings.simplefilter("ignore")
library, threads, (calls, case) = sys.argv[1], int(sys.argv[2]), json.loads(sys.argv[3])
shape, dtype, batch, prompt, new, own, both, target = case
torch.set_num_threads(threads)
module = importlib.import_module(library)
width, layers, heads, vocabulary = shape
config = module.GPT2Config(
    vocab_size=vocabulary, n_embd=width, n_layer=layers, n_head=heads, bos_token_id=None, eos_token_id=None
)
torch.manual_seed(0)
model = module.GPT2LMHeadModel(config).eval().to(getattr(torch, dtype))
ids = torch.randint(1, vocabulary, (batch, prompt))
mask = torch.ones_like(ids)
if batch > 1:  # rows of different lengths
    for row in range(batch):
        mask[row, : row * prompt // (2 * batch)] = 0
    ids[mask == 0] = 0
arguments = {"attention_mask": mask, "max_new_tokens": new, "do_sample": False, "pad_token_id": 0, **both}
if library == "isoform":
    arguments.update(own)
start = time.perf_counter()
model.generate(ids, **arguments)
first = time.perf_counter() - start
best = float("inf")
for _ in range(calls):
    start = time.perf_counter()
    model.generate(ids, **arguments)
    best = min(best, time.perf_counter() - start)
weights = sum(p.nbytes for name, p in model.named_parameters() if "wpe" not in name)
print(json.dumps({"steps": new / best, "tokens": batch * new / best, "first": first, "weights": weights}))
"""

BANDWIDTH = """
import sys, time
import torch
from isoform.generation import _native
torch.set_num_threads(int(sys.argv[1]))
layer = torch.nn.Linear(8192, 32768, bias=False).requires_grad_(False)
assert _native.available(), "there is no compiler"
_native.use_huge_pages(layer)
x, best = torch.randn(1, 8192), float("inf")
for _ in range(12):
    start = time.perf_counter()
    torch.ops.isoform.small_linear.default(x, layer.weight, None, False)
    best = min(best, time.perf_counter() - start)
print(layer.weight.nbytes / best)
"""


def compare(name: str, options: argparse.Namespace, bandwidth: float) -> None:
    """Run one case in turns and print its line."""
    found = in_turns(options, CHILD, [options.calls, CASES[name]])
    ours, theirs = found["isoform"], found["transformers"]
    target = "" if CASES[name][-1] is None else CASES[name][-1]
    ratio = ours["tokens"] / theirs["tokens"]
    read = ours["weights"] * ours["steps"]
    print(
        f"{name:36s} {theirs['tokens']:8.1f} {ours['tokens']:9.1f} {ratio:6.2f}x {target:>6} "
        f"{read / 1e9:7.1f} {read / bandwidth:6.0%}   first call {ours['first']:.1f} s",
        flush=True,
    )


def main() -> None:
    arguments = parser(__doc__, list(CASES))
    arguments.add_argument("--calls", type=int, default=4, help="timed calls per process")
    options = arguments.parse_args()
    bandwidth = float(run(sys.executable, BANDWIDTH, options.threads, str(options.threads)))
    print(f"memory bandwidth with {options.threads} threads: {bandwidth / 1e9:.1f} GB/s; tokens/s:")
    print(f"{'':36s} {'peer':>8} {'isoform':>9} {'ratio':>7} {'goal':>6} {'GB/s':>7} {'of it':>6}")
    for name in options.cases:
        compare(name, options, bandwidth)


if __name__ == "__main__":
    main()
