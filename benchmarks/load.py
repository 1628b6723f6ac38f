"""Time and memory from a 125M-parameter safetensors checkpoint to the first forward, against the newest `transformers`.

    python benchmarks/load.py --peer PATH/TO/PEER/python [--runs 7] [--dtype float32]

Each run is a process of its own, the two libraries in turn. Imports are finished before the clock starts; the file is
in the page cache after the first, uncounted, pair. Prints the medians and the ratios isoform / transformers of wall
time, CPU time and peak resident memory.
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

CHILD = """
import json, sys, time
library, folder, dtype, threads = sys.argv[1:]

def peak():
    # Of this program; getrusage would include the process that started it.
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM"))

import torch
torch.set_num_threads(int(threads))
module = __import__(library)
Model = module.GPT2LMHeadModel
torch.zeros(8, 8) @ torch.zeros(8, 8)
arguments = {} if dtype == "float32" else {"torch_dtype" if library == "isoform" else "dtype": getattr(torch, dtype)}
if library != "isoform" and dtype == "float32":
    arguments = {"dtype": torch.float32}
before = peak()
start, cpu = time.perf_counter(), time.process_time()
model = Model.from_pretrained(folder, **arguments)
loaded = time.perf_counter()
with torch.no_grad():
    model(torch.arange(8)[None]).logits.sum().item()
print(json.dumps({
    "wall": time.perf_counter() - start,
    "load": loaded - start,
    "cpu": time.process_time() - cpu,
    "peak": peak(),
    "imports": before,
}))
"""


def measure(python: str, library: str, folder: str, dtype: str, threads: int) -> dict[str, float]:
    """One run in a new process: seconds, and megabytes of peak resident memory."""
    environment = {
        **os.environ,
        "HF_HUB_OFFLINE": "1",
        "OMP_NUM_THREADS": str(threads),
        "TOKENIZERS_PARALLELISM": "false",
    }
    if library == "isoform":
        environment["PYTHONPATH"] = str(ROOT)
    command = [python, "-c", CHILD, library, folder, dtype, str(threads)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{library} failed:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def make_checkpoint(folder: str) -> None:
    """A GPT-2 of 124 million parameters with random weights."""
    sys.path.insert(0, str(ROOT))
    from isoform import GPT2Config, GPT2LMHeadModel

    GPT2LMHeadModel(GPT2Config()).save_pretrained(folder)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer", required=True, help="the Python of an environment with the newest transformers")
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--checkpoint", help="a GPT-2 checkpoint; made with random weights by default")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.checkpoint or temporary
        if options.checkpoint is None:
            make_checkpoint(folder)
        contenders = {"isoform": sys.executable, "transformers": options.peer}
        results: dict[str, list[dict[str, float]]] = {name: [] for name in contenders}
        for run in range(options.runs + 1):
            for name, python in contenders.items():
                result = measure(python, name, folder, options.dtype, options.threads)
                if run:
                    results[name].append(result)
    medians = {
        name: {key: statistics.median(run[key] for run in runs) for key in runs[0]} for name, runs in results.items()
    }
    for name, values in medians.items():
        print(f"{name:13}", "  ".join(f"{key} {value:8.3f}" for key, value in values.items()))
    ratios = {key: medians["isoform"][key] / medians["transformers"][key] for key in medians["isoform"]}
    print(f"{'ratio':13}", "  ".join(f"{key} {value:8.3f}" for key, value in ratios.items()))


if __name__ == "__main__":
    main()
