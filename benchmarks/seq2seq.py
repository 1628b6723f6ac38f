"""Speed of encoder-decoder generation against the newest `transformers`.

    python benchmarks/seq2seq.py --peer-python PATH/TO/PEER/python [--rounds 3] [--threads 2] [--cases NAME ...]

T5-small's shape with random weights, a prompt of 32 tokens, 64 new ones. Each run is a process of its own, the two
libraries in turn (compiled decoding against the peer's ordinary one); in a process the best of several calls counts,
and of the rounds the median.
"""

from __future__ import annotations

from common import in_turns, parser

COMPILED = {"compile_decoding": True}
# name -> options of both; what only ours gets
CASES = {
    "greedy": ({}, {}),
    "greedy, compiled": ({}, COMPILED),
    "4 beams": ({"num_beams": 4}, {}),
    "4 beams, compiled": ({"num_beams": 4}, COMPILED),
    "greedy, batch 8": ({"batch": 8}, {}),
}
GOAL = 1.4

CHILD = """
import json, sys, time, warnings
import torch
warnings.simplefilter("ignore")
library, threads, (options, own) = sys.argv[1], int(sys.argv[2]), json.loads(sys.argv[3])
torch.set_num_threads(threads)
module = __import__(library)
torch.manual_seed(0)
config = module.T5Config(decoder_start_token_id=0, eos_token_id=None)
model = module.T5ForConditionalGeneration(config).eval()
ids = torch.randint(2, 32000, (options.pop("batch", 1), 32))
arguments = {"max_new_tokens": 64, "do_sample": False, **options, **(own if library == "isoform" else {})}
model.generate(ids, **arguments)
best = float("inf")
for _ in range(4):
    start = time.perf_counter()
    made = model.generate(ids, **arguments)
    best = min(best, time.perf_counter() - start)
assert made.shape[1] == 65, made.shape
print(json.dumps({"tokens": 64 * len(ids) / best}))
"""


def main() -> None:
    options = parser(__doc__, list(CASES)).parse_args()
    print(f"{'tokens/s':20s} {'peer':>8} {'isoform':>8} {'ratio':>7} {'goal':>5}")
    for name in options.cases:
        found = in_turns(options, CHILD, CASES[name])
        ours, theirs = found["isoform"]["tokens"], found["transformers"]["tokens"]
        print(f"{name:20s} {theirs:8.1f} {ours:8.1f} {ours / theirs:6.2f}x {GOAL:>5}", flush=True)


if __name__ == "__main__":
    main()
