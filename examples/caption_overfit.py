"""Learn to caption a handful of pictures: a ViT encoder with a GPT-2 decoder, trained from nothing in a few seconds.

    python examples/caption_overfit.py [--pictures FOLDER] [--steps 150] [--out FOLDER]

FOLDER holds pictures and, for each, a text file of the same name with its caption; without it, coloured shapes are
drawn. The trained model is saved with its tokenizer and image processor, and read back by the image-to-text pipeline.
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
from pathlib import Path

import torch
from PIL import Image, ImageDraw
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from tqdm import tqdm

from isoform import (
    GPT2Config,
    PreTrainedTokenizerFast,
    VisionEncoderDecoderConfig,
    VisionEncoderDecoderModel,
    ViTConfig,
    ViTImageProcessor,
    pipeline,
)

SIZE = 64


def draw_pictures() -> list[tuple[Image.Image, str]]:
    """Shapes in colours, with captions."""
    made = []
    for colour, shape in itertools.product(("red", "green", "blue"), ("circle", "square")):
        picture = Image.new("RGB", (96, 80), "white")
        draw = ImageDraw.Draw(picture)
        (draw.ellipse if shape == "circle" else draw.rectangle)((24, 16, 72, 64), fill=colour)
        made.append((picture, f"a {colour} {shape}"))
    return made


def read_pictures(folder: Path) -> list[tuple[Image.Image, str]]:
    """Pictures of a folder that have a caption beside them."""
    found = [
        (Image.open(path).convert("RGB"), path.with_suffix(".txt").read_text().strip())
        for path in sorted(folder.iterdir())
        if path.suffix.lower() in (".png", ".jpg", ".jpeg") and path.with_suffix(".txt").exists()
    ]
    if not found:
        raise SystemExit(f"{folder} has no picture with a text file of the same name")
    return found


def make_tokenizer(captions: list[str]) -> PreTrainedTokenizerFast:
    """Whole words, between a token that begins and one that ends."""
    words = ["<pad>", "<s>", "</s>", "<unk>", *sorted({word for text in captions for word in text.split()})]
    tokenizer = Tokenizer(models.WordLevel({word: i for i, word in enumerate(words)}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 2)])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", bos_token="<s>", eos_token="</s>", unk_token="<unk>"
    )


def make_model(tokenizer: PreTrainedTokenizerFast) -> VisionEncoderDecoderModel:
    encoder = ViTConfig(
        hidden_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=128,
        image_size=SIZE,
        patch_size=16,
    )
    decoder = GPT2Config(
        vocab_size=len(tokenizer), n_positions=32, n_embd=64, n_layer=2, n_head=4, bos_token_id=1, eos_token_id=2
    )
    config = VisionEncoderDecoderConfig.from_encoder_decoder_configs(encoder, decoder)
    config.decoder_start_token_id, config.pad_token_id, config.eos_token_id = 1, 0, 2
    return VisionEncoderDecoderModel(config)


def train(pairs: list[tuple[Image.Image, str]], steps: int) -> tuple[VisionEncoderDecoderModel, object, object]:
    """Model, tokenizer and image processor after `steps` passes over all pictures."""
    torch.manual_seed(0)
    tokenizer = make_tokenizer([caption for _, caption in pairs])
    processor = ViTImageProcessor(size={"height": SIZE, "width": SIZE})
    model = make_model(tokenizer).train()
    pixels = processor([picture for picture, _ in pairs], return_tensors="pt").pixel_values
    labels = tokenizer([caption for _, caption in pairs], padding=True, return_tensors="pt").input_ids
    labels = labels.masked_fill(labels == tokenizer.pad_token_id, -100)
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    progress = tqdm(range(steps), desc="training", unit="step")
    for _ in progress:
        loss = model(pixel_values=pixels, labels=labels).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        progress.set_postfix(loss=f"{loss.item():.3f}", refresh=False)
    return model.eval(), tokenizer, processor


def main(arguments: list[str] | None = None) -> list[tuple[str, str]]:
    """Train, save, caption; returns pairs of the true caption and the model's."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=Path)
    parser.add_argument("--steps", type=int, default=150)
    parser.add_argument("--out", type=Path, help="where to save the model; a temporary folder by default")
    options = parser.parse_args(arguments)
    pairs = read_pictures(options.pictures) if options.pictures else draw_pictures()
    parts = train(pairs, options.steps)
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.out or Path(scratch)
        for part in parts:
            part.save_pretrained(folder)  # type: ignore[attr-defined]
        caption = pipeline("image-to-text", model=str(folder))
        answers = [caption(picture, max_new_tokens=16)[0]["generated_text"] for picture, _ in pairs]
    results = [(true, answer) for (_, true), answer in zip(pairs, answers)]
    for true, answer in results:
        print(f"{true!r}: {answer!r}")
    return results


if __name__ == "__main__":
    main()
