"""Images per second of image processors, against `transformers` 4.36.2 (or another version).

    python benchmarks/image_processors.py --reference PATH/TO/4.36.2/python [--photo photo.jpg] [--runs 5] [--threads 1]

A batch of 32 photographs of one size, as images of Pillow and as arrays, becomes a tensor. Each run is a process of its
own, the two libraries in turn; the first pair is not counted, and of each run the best of several calls counts. Prints
the medians of images/s and their ratio, above 1 where isoform is faster. Without `--photo`, a picture is drawn.
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
NAMES = ("ViT", "DeiT", "Beit", "CLIP", "Bit", "ConvNext", "DPT", "Segformer", "Yolos")

CHILD = """
import json, sys, time, warnings
library, photo, names, batch, threads = sys.argv[1:]
warnings.simplefilter("ignore")
import numpy as np, torch
from PIL import Image
torch.set_num_threads(int(threads))
module = __import__(library)
image = Image.open(photo).convert("RGB")
results = {}
for name in names.split(","):
    processor = getattr(module, name + "ImageProcessor")()
    for kind, one in (("Pillow", image), ("array", np.array(image))):
        images = [one.copy() for _ in range(int(batch))]
        best = float("inf")
        for _ in range(2 if name == "Yolos" else 4):
            start = time.perf_counter()
            processor(images, return_tensors="pt")
            best = min(best, time.perf_counter() - start)
        results[name + " " + kind] = int(batch) / best
print(json.dumps(results))
"""


def measure(python: str, library: str, options: argparse.Namespace, photo: str) -> dict[str, float]:
    """Images per second, by processor and kind of input, in one new process."""
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": str(options.threads)}
    if library == "isoform":
        environment["PYTHONPATH"] = str(ROOT)
    arguments = [library, photo, options.processors, str(options.batch), str(options.threads)]
    done = subprocess.run(
        [python, "-c", CHILD, *arguments], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{library} failed:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def draw(path: str) -> None:
    """A picture of 640 x 480: waves with noise."""
    import numpy as np
    from PIL import Image

    y, x = np.mgrid[:480, :640][..., None]
    noise = np.random.default_rng(0).normal(0, 10, (480, 640, 3))
    values = 128 + 60 * np.sin(x / [17, 23, 31]) + 50 * np.cos(y / [13, 29, 19]) + noise
    Image.fromarray(values.clip(0, 255).astype(np.uint8)).save(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reference", required=True, help="the Python of an environment with transformers and Pillow")
    parser.add_argument("--photo", help="a photograph")
    parser.add_argument("--processors", default=",".join(NAMES))
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        photo = options.photo or str(Path(folder) / "photo.png")
        if options.photo is None:
            draw(photo)
        contenders = {"isoform": sys.executable, "transformers": options.reference}
        results: dict[str, list[dict[str, float]]] = {name: [] for name in contenders}
        for run in range(options.runs + 1):
            for name, python in contenders.items():
                result = measure(python, name, options, photo)
                if run:
                    results[name].append(result)
    print(f"{'images/s':20}{'transformers':>14}{'isoform':>10}{'ratio':>8}")
    for key in results["isoform"][0]:
        ours, theirs = (statistics.median(run[key] for run in results[name]) for name in ("isoform", "transformers"))
        print(f"{key:20}{theirs:14.0f}{ours:10.0f}{ours / theirs:8.2f}")


if __name__ == "__main__":
    main()
