"""Teach a tiny T5 and a tiny M2M100 the sentence pairs of a file by heart, and let them translate.

    python examples/translate_overfit.py pairs.json --target de [--source en] [--count 8]

Each line of the file is `{"translation": {"en": "...", "de": "..."}}`, the format of the WMT samples of many tutorials.
T5 learns one direction, named in its prompt. M2M100 learns both at once, and is told in generation which language to
answer in (`forced_bos_token_id`). Vocabularies are made from the sentences (package `sentencepiece`). Takes a minute on
a processor.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

import torch
from sentencepiece import SentencePieceProcessor, SentencePieceTrainer

from isoform import (
    M2M100Config,
    M2M100ForConditionalGeneration,
    M2M100Tokenizer,
    T5Config,
    T5ForConditionalGeneration,
    T5Tokenizer,
)
from isoform.models.m2m_100.tokenization_m2m_100 import FAIRSEQ_LANGUAGE_CODES


def read_pairs(path: Path, source: str, target: str, count: int) -> list[tuple[str, str]]:
    """The first `count` different pairs."""
    pairs: dict[tuple[str, str], None] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)["translation"]
        pairs.setdefault((entry[source], entry[target]))
    return list(pairs)[:count]


def train_pieces(texts: list[str], folder: Path, **special: Any) -> Path:
    """A SentencePiece model of all characters and the commonest words of the texts."""
    (folder / "texts.txt").write_text("\n".join(texts), encoding="utf-8")
    SentencePieceTrainer.train(
        input=str(folder / "texts.txt"),
        model_prefix=str(folder / "pieces"),
        vocab_size=400,
        hard_vocab_limit=False,
        character_coverage=1.0,
        max_sentence_length=100_000,
        minloglevel=2,
        **special,
    )
    return folder / "pieces.model"


def labels_of(tokenizer: Any, texts: list[str]) -> torch.Tensor:
    """`(batch, length)`: the ids to predict, -100 where there are none."""
    batch = tokenizer(text_target=texts, padding=True, return_tensors="pt")
    return batch["input_ids"].masked_fill(batch["attention_mask"] == 0, -100)


def fit(model: Any, batch: dict[str, torch.Tensor], most_steps: int = 600) -> None:
    """Train until the pairs are known by heart."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.02, most_steps)
    model.train()
    for step in range(most_steps):
        loss = model(**batch).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        if step % 50 == 0 or loss < 0.01:
            print(f"  step {step}: loss {float(loss):.3f}")
        if loss < 0.01:
            break
    model.eval()


def show(sources: list[str], targets: list[str], answers: list[str]) -> None:
    for source, target, answer in zip(sources, targets, answers):
        print(f"  {source}\n    -> {answer}" + ("" if answer == target else f"\n    expected: {target}"))
    print(f"  {sum(map(str.__eq__, targets, answers))} of {len(targets)} translated exactly")


def t5(pairs: list[tuple[str, str]], source: str, target: str, folder: Path) -> None:
    sources = [f"translate {source} to {target}: {text}" for text, _ in pairs]
    targets = [text for _, text in pairs]
    pieces = train_pieces(sources + targets, folder, pad_id=0, eos_id=1, unk_id=2, bos_id=-1)
    tokenizer = T5Tokenizer(str(pieces), extra_ids=0, legacy=False)
    model = T5ForConditionalGeneration(
        T5Config(
            vocab_size=len(tokenizer),
            d_model=128,
            d_kv=32,
            d_ff=256,
            num_layers=2,
            num_heads=4,
            dropout_rate=0.0,
            feed_forward_proj="gated-gelu",
            decoder_start_token_id=0,
        )
    )
    inputs = tokenizer(sources, padding=True, return_tensors="pt")
    labels = labels_of(tokenizer, targets)
    fit(model, {**inputs, "labels": labels})
    ids = model.generate(**inputs, max_new_tokens=labels.shape[1] + 10, num_beams=4)
    show(sources, targets, tokenizer.batch_decode(ids, skip_special_tokens=True))


def m2m100(pairs: list[tuple[str, str]], source: str, target: str, folder: Path) -> None:
    texts = {source: [text for text, _ in pairs], target: [text for _, text in pairs]}
    pieces = train_pieces(texts[source] + texts[target], folder)
    processor = SentencePieceProcessor(model_file=str(pieces))
    words = [piece for piece in map(processor.id_to_piece, range(len(processor))) if piece[0] != "<"]
    vocabulary = {piece: i for i, piece in enumerate(["<s>", "<pad>", "</s>", "<unk>", *words])}
    (folder / "vocab.json").write_text(json.dumps(vocabulary), encoding="utf-8")
    languages = [f"__{code}__" for code in FAIRSEQ_LANGUAGE_CODES["m2m100"]]
    tokenizer = M2M100Tokenizer(str(folder / "vocab.json"), str(pieces), additional_special_tokens=languages)

    # Both directions in one batch.
    rows: dict[str, list[torch.Tensor]] = {"input_ids": [], "attention_mask": [], "labels": []}
    for tokenizer.src_lang, tokenizer.tgt_lang in ((source, target), (target, source)):
        inputs = tokenizer(texts[tokenizer.src_lang], padding=True, return_tensors="pt")
        rows["input_ids"] += inputs["input_ids"]
        rows["attention_mask"] += inputs["attention_mask"]
        rows["labels"] += labels_of(tokenizer, texts[tokenizer.tgt_lang])
    fill = {"input_ids": tokenizer.pad_token_id, "attention_mask": 0, "labels": -100}
    batch = {
        name: torch.nn.utils.rnn.pad_sequence(rows[name], batch_first=True, padding_value=value)
        for name, value in fill.items()
    }
    model = M2M100ForConditionalGeneration(
        M2M100Config(
            vocab_size=len(tokenizer) + tokenizer.num_madeup_words,
            d_model=128,
            encoder_layers=2,
            decoder_layers=2,
            encoder_attention_heads=4,
            decoder_attention_heads=4,
            encoder_ffn_dim=256,
            decoder_ffn_dim=256,
            encoder_layerdrop=0.0,
            decoder_layerdrop=0.0,
            dropout=0.0,
            attention_dropout=0.0,
        )
    )
    fit(model, batch)
    for start, answer in ((source, target), (target, source)):
        tokenizer.src_lang = start
        inputs = tokenizer(texts[start], padding=True, return_tensors="pt")
        longest = batch["labels"].shape[1] + 10
        language = tokenizer.get_lang_id(answer)
        ids = model.generate(**inputs, forced_bos_token_id=language, max_new_tokens=longest, num_beams=4)
        show(texts[start], texts[answer], tokenizer.batch_decode(ids, skip_special_tokens=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pairs", type=Path, help="file of translations, one JSON object a line")
    parser.add_argument("--source", default="en", help="code of the first language")
    parser.add_argument("--target", required=True, help="code of the other language")
    parser.add_argument("--count", type=int, default=8, help="pairs to learn")
    options = parser.parse_args()
    torch.manual_seed(0)
    pairs = read_pairs(options.pairs, options.source, options.target, options.count)
    for name, learn in (("T5", t5), ("M2M100", m2m100)):
        print(name)
        with tempfile.TemporaryDirectory() as folder:
            learn(pairs, options.source, options.target, Path(folder))


if __name__ == "__main__":
    main()
