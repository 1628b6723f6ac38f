"""Speed of CLAP's log-mel features against the newest `transformers`.

    python benchmarks/log_mel.py --peer-python PATH/TO/PEER/python [--rounds 3] [--threads 1] [--cases NAME ...]

Eight recordings of noise; each run is a process of its own, the two libraries in turn; in a process the best of several
calls counts, and of the rounds the median.
"""

from __future__ import annotations

from common import in_turns, parser

# name -> seconds of each recording, how longer ones are shortened
CASES = {
    "3 s, fusion": (3, "fusion"),
    "3 s, rand_trunc": (3, "rand_trunc"),
    "10 s, fusion": (10, "fusion"),
    "10 s, rand_trunc": (10, "rand_trunc"),
    "20 s, fusion": (20, "fusion"),
}

CHILD = """
import json, sys, time, warnings
import numpy as np
import torch
warnings.simplefilter("ignore")
library, threads, (seconds, truncation) = sys.argv[1], int(sys.argv[2]), json.loads(sys.argv[3])
torch.set_num_threads(threads)
extract = __import__(library).ClapFeatureExtractor(truncation=truncation)
sounds = list(np.random.default_rng(0).standard_normal((8, 48000 * seconds)).astype(np.float32))
best = float("inf")
for _ in range(4):
    start = time.perf_counter()
    extract(sounds, sampling_rate=48000, return_tensors="pt")
    best = min(best, time.perf_counter() - start)
print(json.dumps({"ms": best * 1e3 / len(sounds)}))
"""


def main() -> None:
    arguments = parser(__doc__, list(CASES))
    arguments.set_defaults(threads=1)
    options = arguments.parse_args()
    print(f"{'ms a recording':20s} {'peer':>8} {'isoform':>8} {'ratio':>7} {'goal':>5}")
    for name in options.cases:
        found = in_turns(options, CHILD, CASES[name])
        ours, theirs = found["isoform"]["ms"], found["transformers"]["ms"]
        print(f"{name:20s} {theirs:8.2f} {ours:8.2f} {theirs / ours:6.2f}x {2:>5}", flush=True)


if __name__ == "__main__":
    main()
