"""Speed of encoders' forward passes against the newest `transformers`, and the fraction of the matrix rate reached.

    python benchmarks/forward.py --peer-python PATH/TO/PEER/python [--rounds 3] [--threads 2] [--cases NAME ...]

Each run is a process of its own, the two libraries in turn; in a process the best of several calls counts, and of the
rounds the median. Models have random weights and the shapes of the well-known base models. These passes are bound by
arithmetic: the last columns give the operations per second that the matrix products of our pass reach, as counted by
PyTorch, and that as a fraction of the rate of a product of two large matrices, measured before.
"""

from __future__ import annotations

import argparse

from common import in_turns, parser, run

# name -> configuration class, model class, options of the configuration, name of the input, its shape
CASES = {
    "bert-base": ("BertConfig", "BertModel", {}, "input_ids", (8, 128)),
    "vit-base": ("ViTConfig", "ViTModel", {}, "pixel_values", (8, 3, 224, 224)),
    "convnextv2-tiny": ("ConvNextV2Config", "ConvNextV2Model", {}, "pixel_values", (8, 3, 224, 224)),
    "wav2vec2-base": ("Wav2Vec2Config", "Wav2Vec2Model", {}, "input_values", (8, 32000)),
}
DTYPES = ("float32", "bfloat16")

CHILD = """
import json, sys, time, warnings
import torch
warnings.simplefilter("ignore")
library, threads, (config, model, options, name, shape, dtype) = sys.argv[1], int(sys.argv[2]), json.loads(sys.argv[3])
torch.set_num_threads(threads)
module = __import__(library)
torch.manual_seed(0)
model = getattr(module, model)(getattr(module, config)(**options)).eval().to(getattr(torch, dtype))
inputs = torch.randint(5, 1000, shape) if name == "input_ids" else torch.randn(shape, dtype=getattr(torch, dtype))
wall = cpu = float("inf")
with torch.no_grad():
    model(**{name: inputs})
    for _ in range(5):
        start, used = time.perf_counter(), time.process_time()
        model(**{name: inputs})
        wall, cpu = min(wall, time.perf_counter() - start), min(cpu, time.process_time() - used)
    from torch.utils.flop_counter import FlopCounterMode
    with FlopCounterMode(display=False) as counter:
        model(**{name: inputs})
print(json.dumps({"wall": wall, "cpu": cpu, "operations": counter.get_total_flops()}))
"""

MATRIX_RATE = """
import sys, time
import torch
torch.set_num_threads(int(sys.argv[1]))
a, best = torch.randn(2048, 2048, dtype=getattr(torch, sys.argv[2])), float("inf")
for _ in range(10):
    start = time.perf_counter()
    a @ a
    best = min(best, time.perf_counter() - start)
print(2 * 2048**3 / best)
"""


def compare(name: str, dtype: str, options: argparse.Namespace, rate: float) -> None:
    """Run one case in turns and print its line."""
    found = in_turns(options, CHILD, (*CASES[name], dtype))
    ours, theirs = found["isoform"], found["transformers"]
    reached = ours["operations"] / ours["wall"]
    print(
        f"{name:16s} {dtype:9s} {theirs['wall'] * 1e3:9.1f} {ours['wall'] * 1e3:9.1f} "
        f"{theirs['wall'] / ours['wall']:6.2f}x {theirs['cpu'] / ours['cpu']:6.2f}x "
        f"{reached / 1e9:9.0f} {reached / rate:6.0%}",
        flush=True,
    )


def main() -> None:
    options = parser(__doc__, list(CASES)).parse_args()
    rates = {d: float(run(options.peer_python, MATRIX_RATE, options.threads, str(options.threads), d)) for d in DTYPES}
    known = ", ".join(f"{dtype} {rate / 1e9:.0f}" for dtype, rate in rates.items())
    print(f"matrix rate with {options.threads} threads, 10^9 operations/s: {known}")
    print("Times in ms; how many times as fast, by wall time and by CPU time:")
    print(f"{'':26s} {'peer':>9} {'isoform':>9} {'wall':>7} {'CPU':>7} {'10^9/s':>9} {'of it':>6}")
    for name in options.cases:
        for dtype in DTYPES:
            compare(name, dtype, options, rates[dtype])


if __name__ == "__main__":
    main()
