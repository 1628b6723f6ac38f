"""Speech recognition of 100 recordings of mixed length: `batch_size="auto"` against fixed batch sizes.

    python benchmarks/speech.py                  # Wav2Vec2-base, 0.3 to 12 seconds each
    python benchmarks/speech.py --count 30 --longest 4 --threads 1

All sizes take turns in one process; the median of the rounds counts. Weights are random, and so is the text: its length
does not matter to a CTC model. Results must be the same whatever the batch size.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
SIZES: list[Any] = [1, 2, 4, 8, 16, "auto"]
LETTERS = ["<pad>", "<s>", "</s>", "<unk>", "|", *"ABCDEFGHIJKLMNOPQRSTUVWXYZ'"]


def make_pipeline(norm: str) -> Any:
    """Wav2Vec2 of the shape of wav2vec2-base with random weights."""
    import json
    import tempfile

    import torch

    import isoform

    torch.manual_seed(0)
    config = isoform.Wav2Vec2Config(
        vocab_size=len(LETTERS), feat_extract_norm=norm, do_stable_layer_norm=norm == "layer"
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "vocab.json")
        path.write_text(json.dumps({letter: index for index, letter in enumerate(LETTERS)}))
        tokenizer = isoform.Wav2Vec2CTCTokenizer(str(path))
    extractor = isoform.Wav2Vec2FeatureExtractor(return_attention_mask=norm == "layer")
    model = isoform.Wav2Vec2ForCTC(config).eval()
    parts = {"tokenizer": tokenizer, "feature_extractor": extractor}
    return isoform.pipeline("automatic-speech-recognition", model=model, **parts)


def main() -> None:
    """Measure and print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=100, help="recordings")
    parser.add_argument("--shortest", type=float, default=0.3, help="seconds")
    parser.add_argument("--longest", type=float, default=12.0, help="seconds")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--norm", choices=["group", "layer"], default="group", help="as base models, or as large ones")
    options = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = str(options.threads)
    sys.path.insert(0, str(ROOT))
    import torch

    torch.set_num_threads(options.threads)
    draw = np.random.default_rng(0)
    lengths = draw.uniform(options.shortest, options.longest, options.count)
    recordings = [draw.standard_normal(int(16000 * seconds)).astype(np.float32) for seconds in lengths]
    pipe = make_pipeline(options.norm)
    pipe(recordings[:2])
    times: dict[Any, list[float]] = defaultdict(list)
    texts: dict[Any, Any] = {}
    for _ in range(options.rounds):
        for size in SIZES:
            start = time.perf_counter()
            texts[size] = pipe(recordings, batch_size=size)
            times[size].append(time.perf_counter() - start)
    print(f"{options.count} recordings, {lengths.sum():.0f} seconds of sound, {options.threads} threads")
    seconds = {size: statistics.median(values) for size, values in times.items()}
    for size, median in seconds.items():
        same = sum(one == other for one, other in zip(texts[size], texts[1]))
        print(f"  batch_size={size!s:5} {median:7.2f} s   {same} texts as with batch size 1")
    best = min(median for size, median in seconds.items() if size != "auto")
    print(f"  auto against 8: {seconds[8] / seconds['auto']:.2f}   against the best: {best / seconds['auto']:.2f}")


if __name__ == "__main__":
    main()
