"""Teach a tiny CLAP which word is said: sounds and words meet in one space.

    python examples/clap_digits.py [RECORDINGS] [--speaker jackson] [--steps 150] [--out FOLDER]

RECORDINGS is a folder of files `{digit}_{speaker}_{index}.wav`, as the Free Spoken Digit Dataset has them: recordings 5
to 20 of the speaker are learnt, 0 to 4 are held out. Without it, melodies of tones are made. The model is saved with
its processor and read back by the zero-shot-audio-classification pipeline, which the held-out recordings are given to.
"""

from __future__ import annotations

import argparse
import tempfile
import wave
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from tqdm import tqdm

from isoform import ClapConfig, ClapFeatureExtractor, ClapModel, ClapProcessor, RobertaTokenizerFast, pipeline

RATE = 8000
WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
Recording = tuple[np.ndarray, str]


def read_recordings(folder: Path, speaker: str) -> tuple[list[Recording], list[Recording]]:
    """What to learn, and what is held out."""
    learnt: list[Recording] = []
    held_out: list[Recording] = []
    for digit, word in enumerate(WORDS):
        for index in range(21):
            path = folder / f"{digit}_{speaker}_{index}.wav"
            if not path.exists():
                raise SystemExit(f"{path} is missing: RECORDINGS must hold files named like 7_jackson_12.wav")
            with wave.open(str(path)) as file:
                samples = np.frombuffer(file.readframes(file.getnframes()), np.int16) / np.float32(32768)
            (held_out if index < 5 else learnt).append((samples, word))
    return learnt, held_out


def make_tones() -> tuple[list[Recording], list[Recording]]:
    """Four melodies of three tones, each at several volumes and with noise."""
    generator, moments = np.random.default_rng(0), np.arange(RATE // 4) / RATE
    made: list[Recording] = []
    for word, notes in {
        "rise": (300, 500, 800),
        "fall": (800, 500, 300),
        "high": (1500,) * 3,
        "low": (200,) * 3,
    }.items():
        for _ in range(5):
            tone = np.concatenate([np.sin(2 * np.pi * note * moments) for note in notes])
            tone = tone * generator.uniform(0.3, 0.9) + generator.normal(0, 0.02, len(tone))
            made.append((tone.astype(np.float32), word))
    return [one for i, one in enumerate(made) if i % 5], [one for i, one in enumerate(made) if not i % 5]


def make_processor(words: list[str]) -> ClapProcessor:
    """Spectrograms of 16 bands over two seconds, and a vocabulary of whole words."""
    vocabulary = {word: i for i, word in enumerate(["<s>", "<pad>", "</s>", "<unk>", "<mask>", *words])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    sounds = ClapFeatureExtractor(
        feature_size=16,
        sampling_rate=RATE,
        hop_length=80,
        max_length_s=2,
        fft_window_size=256,
        frequency_max=RATE // 2,
        truncation="rand_trunc",
    )
    texts = RobertaTokenizerFast(tokenizer_object=tokenizer)
    return ClapProcessor(sounds, texts)


def make_model(vocabulary: int) -> ClapModel:
    text = {"vocab_size": vocabulary, "num_hidden_layers": 1, "num_attention_heads": 2, "hidden_size": 32}
    sound = {
        "spec_size": 64,
        "num_mel_bins": 16,
        "patch_embeds_hidden_size": 16,
        "depths": [2, 2],
        "num_attention_heads": [2, 4],
        "hidden_size": 32,
        "window_size": 4,
    }
    text |= {"intermediate_size": 64, "max_position_embeddings": 16, "projection_dim": 32}
    return ClapModel(ClapConfig(text_config=text, audio_config={**sound, "projection_dim": 32}, projection_dim=32))


def train(learnt: list[Recording], words: list[str], steps: int) -> tuple[ClapModel, ClapProcessor]:
    """A step shows one recording of each word; each must be nearest to its own."""
    torch.manual_seed(0)
    processor = make_processor(words)
    model = make_model(len(processor.tokenizer)).train()
    texts = processor.tokenizer(words, return_tensors="pt")
    sounds = {word: [samples for samples, said in learnt if said == word] for word in words}
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    progress = tqdm(range(steps), desc="training", unit="step")
    for step in progress:
        chosen = [sounds[word][step % len(sounds[word])] for word in words]
        features = processor.feature_extractor(chosen, sampling_rate=RATE, return_tensors="pt")
        loss = model(**texts, **features, return_loss=True).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        progress.set_postfix(loss=f"{loss.item():.3f}", refresh=False)
    return model.eval(), processor


def main(arguments: list[str] | None = None) -> float:
    """Train, save, classify; returns the share of held-out recordings that are right."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recordings", type=Path, nargs="?")
    parser.add_argument("--speaker", default="jackson")
    parser.add_argument("--steps", type=int, default=150)
    parser.add_argument("--out", type=Path, help="where to save the model; a temporary folder by default")
    options = parser.parse_args(arguments)
    chosen = make_tones() if options.recordings is None else read_recordings(options.recordings, options.speaker)
    learnt, held_out = chosen
    words = list(dict.fromkeys(word for _, word in learnt))
    model, processor = train(learnt, words, options.steps)
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.out or Path(scratch)
        model.save_pretrained(folder)
        processor.save_pretrained(folder)
        listen = pipeline("zero-shot-audio-classification", model=str(folder))
        heard = [
            listen(samples, candidate_labels=words, hypothesis_template="{}")[0]["label"] for samples, _ in held_out
        ]
    right = sum(said == word for (_, said), word in zip(held_out, heard)) / len(held_out)
    print(f"{right:.0%} of {len(held_out)} held-out recordings are right; by chance {1 / len(words):.0%}")
    return right


if __name__ == "__main__":
    main()
