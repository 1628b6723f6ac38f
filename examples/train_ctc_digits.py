"""Train a small Wav2Vec2ForCTC to write down spoken digits, and report its errors on recordings that it never heard.

    python examples/train_ctc_digits.py recordings --output run               # start, or go on after an interruption
    python examples/train_ctc_digits.py recordings --output run --listen a.wav # what the trained model hears

`recordings` holds files `{digit}_{speaker}_{index}.wav`, mono, as the Free Spoken Digit Dataset does. Of each digit and
speaker the first tenth (index 0 to 4 of 50) is held out. Training joins one to three recordings to a number, spoken by
several people, and the model learns to spell it ("four two"). Errors are counted in digits: substitutions, deletions
and insertions over the digits that were said. Everything needed to go on is saved every `--save-every` steps,
atomically; batches follow from the step's number alone, so an interrupted run ends with the same weights. The output
folder is a checkpoint for `pipeline("automatic-speech-recognition", folder)`.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import wave
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from isoform import Wav2Vec2Config, Wav2Vec2CTCTokenizer, Wav2Vec2FeatureExtractor, Wav2Vec2ForCTC, Wav2Vec2Processor

WORDS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
Recording = tuple[str, np.ndarray]  # the word, and samples between -1 and 1


def read(path: Path) -> tuple[np.ndarray, int]:
    """Samples and rate of a WAV file of 16 bits."""
    with wave.open(str(path)) as file:
        if file.getsampwidth() != 2 or file.getnchannels() != 1:
            raise SystemExit(f"{path}: expected mono samples of 16 bits; convert it, for example with ffmpeg -ac 1")
        samples = np.frombuffer(file.readframes(file.getnframes()), np.int16)
        return samples.astype(np.float32) / 32768, file.getframerate()


def load(folder: Path) -> tuple[list[Recording], list[Recording], int]:
    """Recordings to learn from, held-out ones, and their sampling rate."""
    files = sorted(path for path in folder.glob("*_*_*.wav") if path.stem.split("_")[0].isdigit())
    if not files:
        raise SystemExit(f"{folder} has no files named like 7_george_12.wav")
    counts: dict[str, int] = {}
    for path in files:
        name = path.stem.rpartition("_")[0]
        counts[name] = counts.get(name, 0) + 1
    kept: list[Recording] = []
    held_out: list[Recording] = []
    rate = 0
    for path in files:
        samples, rate = read(path)
        name, _, index = path.stem.rpartition("_")
        first_tenth = int(index) < math.ceil(counts[name] / 10)
        (held_out if first_tenth else kept).append((WORDS[int(name.split("_")[0])], samples))
    return kept, held_out, rate


def join(recordings: list[Recording], rate: int, random: np.random.RandomState) -> Recording:
    """Recordings after one another, with pauses and at random loudness."""
    parts = []
    for _, samples in recordings:
        parts += [samples * random.uniform(0.5, 1.5), np.zeros(random.randint(0, rate // 5), np.float32)]
    return " ".join(word for word, _ in recordings), np.concatenate(parts)


def batch(recordings: list[Recording], size: int, most: int, rate: int, step: int) -> list[Recording]:
    """Random numbers of up to `most` digits, which follow from the step's number alone."""
    random = np.random.RandomState(step)
    return [
        join([recordings[i] for i in random.randint(len(recordings), size=random.randint(1, most + 1))], rate, random)
        for _ in range(size)
    ]


def processor_for(folder: Path, rate: int) -> Wav2Vec2Processor:
    """Letters as tokens, waveforms of this rate."""
    letters = sorted(set("".join(WORDS)))
    vocabulary = {token: i for i, token in enumerate(["<pad>", "<s>", "</s>", "<unk>", "|", *letters])}
    path = folder / "vocab.json"
    path.write_text(json.dumps(vocabulary))
    extractor = Wav2Vec2FeatureExtractor(sampling_rate=rate, return_attention_mask=True)
    return Wav2Vec2Processor(extractor, Wav2Vec2CTCTokenizer(str(path)))


def build(vocab_size: int, args: argparse.Namespace) -> Wav2Vec2ForCTC:
    """A model with a position each 10 ms of 8 kHz."""
    width = args.hidden
    config = Wav2Vec2Config(
        vocab_size=vocab_size,
        hidden_size=width,
        num_hidden_layers=args.layers,
        num_attention_heads=4,
        intermediate_size=4 * width,
        conv_dim=[args.channels] * 5,
        conv_kernel=[10, 3, 3, 3, 3],
        conv_stride=[5, 2, 2, 2, 2],
        feat_extract_norm="layer",
        do_stable_layer_norm=True,
        num_conv_pos_embeddings=31,
        num_conv_pos_embedding_groups=4,
        layerdrop=0.0,
        mask_time_prob=0.1,
        mask_time_length=4,
        mask_feature_prob=0.1,
        mask_feature_length=8,
        ctc_loss_reduction="mean",
        ctc_zero_infinity=True,
    )
    return Wav2Vec2ForCTC(config)


def prepared(processor: Wav2Vec2Processor, sounds: list[np.ndarray], texts: list[str] | None = None) -> Any:
    """Inputs of the model, with labels if there are texts."""
    rate = processor.feature_extractor.sampling_rate
    inputs = processor(sounds, text=texts, sampling_rate=rate, padding=True, return_tensors="pt")
    if texts is not None:
        labels = inputs["labels"]
        inputs["labels"] = labels.masked_fill(labels == processor.tokenizer.pad_token_id, -100)
    return inputs


@torch.no_grad()
def transcribe(model: Wav2Vec2ForCTC, processor: Wav2Vec2Processor, sounds: list[np.ndarray]) -> list[str]:
    """What the model hears, a text for each sound."""
    model.eval()
    inputs = prepared(processor, sounds)
    ids = model(**inputs).logits.argmax(-1)
    real = model._get_feature_vector_attention_mask(ids.shape[1], inputs["attention_mask"])
    return processor.batch_decode(ids.masked_fill(~real, processor.tokenizer.pad_token_id))


def edits(said: list[str], heard: list[str]) -> int:
    """Least number of substitutions, deletions and insertions (Levenshtein)."""
    row = list(range(len(heard) + 1))
    for i, word in enumerate(said, 1):
        previous, row[0] = row[0], i
        for j, other in enumerate(heard, 1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (word != other))
    return row[-1]


def error_rate(model: Wav2Vec2ForCTC, processor: Wav2Vec2Processor, recordings: list[Recording]) -> float:
    """Errors in digits over the digits that were said."""
    wrong = total = 0
    for start in range(0, len(recordings), 50):
        chunk = recordings[start : start + 50]
        for (text, _), heard in zip(chunk, transcribe(model, processor, [sound for _, sound in chunk]), strict=True):
            wrong += edits(text.split(), heard.split())
            total += len(text.split())
    return wrong / total


def save(path: Path, state: dict[str, Any]) -> None:
    """Write a training state so that a crash leaves the old or the new one."""
    temporary = path.with_suffix(".tmp")
    with open(temporary, "wb") as file:
        torch.save(state, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)


def train(
    model: Wav2Vec2ForCTC, processor: Wav2Vec2Processor, recordings: list[Recording], args: argparse.Namespace
) -> None:
    rate = processor.feature_extractor.sampling_rate
    optimizer = torch.optim.AdamW(model.parameters(), lr=args.lr, weight_decay=0.01, betas=(0.9, 0.98))
    file, start = args.output / "state.pt", 0
    if file.exists():
        state = torch.load(file, weights_only=True)
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        start = state["step"]
        print(f"going on at step {start}")
    steps = tqdm(range(start, args.steps), initial=start, total=args.steps)
    for step in steps:
        torch.manual_seed(step)  # dropout and masks, too, follow from the step
        np.random.seed(step)
        warm, share = min(1.0, (step + 1) / args.warmup), step / args.steps
        for group in optimizer.param_groups:
            group["lr"] = args.lr * warm * 0.5 * (1 + math.cos(math.pi * share))
        chosen = batch(recordings, args.batch, args.most, rate, step)
        texts, sounds = [text for text, _ in chosen], [sound for _, sound in chosen]
        loss = model.train()(**prepared(processor, sounds, texts)).loss
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        steps.set_postfix(loss=f"{loss.item():.3f}")
        if (step + 1) % args.save_every == 0 or step + 1 == args.steps:
            state = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "step": step + 1}
            save(file, state)


def parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recordings", type=Path, help="folder of the recordings")
    parser.add_argument("--output", type=Path, required=True, help="folder of the run and of the finished model")
    parser.add_argument("--listen", type=Path, help="only write down this WAV file, with the finished model")
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--most", type=int, default=3, help="digits of the longest number")
    parser.add_argument("--channels", type=int, default=64, help="of the convolutions")
    parser.add_argument("--hidden", type=int, default=128)
    parser.add_argument("--layers", type=int, default=3)
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--warmup", type=int, default=200)
    parser.add_argument("--save-every", type=int, default=200)
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> Any:
    args = parse(arguments)
    args.output.mkdir(parents=True, exist_ok=True)
    if args.listen:
        model = Wav2Vec2ForCTC.from_pretrained(args.output)
        processor = Wav2Vec2Processor.from_pretrained(args.output)
        text = transcribe(model, processor, [read(args.listen)[0]])[0]
        print(text)
        return text
    kept, held_out, rate = load(args.recordings)
    processor = processor_for(args.output, rate)
    torch.manual_seed(0)
    model = build(len(processor.tokenizer), args)
    print(f"{len(kept)} recordings to learn from, {len(held_out)} held out, {model.num_parameters():,} parameters")
    train(model, processor, kept, args)
    numbers = batch(held_out, 200, args.most, rate, step=-1 % 2**32)
    result = {"digits": error_rate(model, processor, held_out), "numbers": error_rate(model, processor, numbers)}
    print(f"errors on held-out recordings: {result['digits']:.1%} of single digits, {result['numbers']:.1%} in numbers")
    model.save_pretrained(args.output)
    processor.save_pretrained(args.output)
    (args.output / "errors.json").write_text(json.dumps(result))
    return result


if __name__ == "__main__":
    main()
