"""Encoder-decoder models from text to text: trained on a few sentences, they must translate them exactly."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from isoform import (
    M2M100Config,
    M2M100ForConditionalGeneration,
    M2M100Tokenizer,
    T5Config,
    T5ForConditionalGeneration,
    T5Tokenizer,
)
from isoform.models.m2m_100.tokenization_m2m_100 import FAIRSEQ_LANGUAGE_CODES

LANGUAGES = FAIRSEQ_LANGUAGE_CODES["m2m100"]
TOKENIZERS = Path(__file__).parent / "golden" / "tokenizers"

# Sentences in three made-up languages, so that no target can be guessed from its source.
SENTENCES = {
    "en": ["the king is here", "I saw the ship", "no man is an island", "the night was dark and long"],
    "de": ["der kinig ist da", "i sah das shif", "kaner ist alane", "die nakt war finster und lan"],
    "fr": ["la roa et isi", "je va le bato", "nul ne sera sule", "une nui somber et longe"],
}


def fit(model: Any, batch: dict[str, torch.Tensor], most_steps: int = 300) -> None:
    """Train until every token of the labels is predicted, or `most_steps` are over."""
    model.train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)
    for _ in range(most_steps):
        output = model(**batch)
        output.loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        if output.loss < 0.02:
            break
    model.eval()


def labels_of(tokenizer: Any, texts: list[str]) -> torch.Tensor:
    batch = tokenizer(text_target=texts, padding=True, return_tensors="pt")
    return batch["input_ids"].masked_fill(batch["attention_mask"] == 0, -100)


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


@pytest.mark.parametrize(
    "variant", [{}, {"feed_forward_proj": "gated-gelu", "tie_word_embeddings": False}], ids=["t5", "v1.1"]
)
def test_t5(variant, tmp_path):
    tokenizer = T5Tokenizer(str(TOKENIZERS / "t5.model"), extra_ids=10, legacy=False)
    model = T5ForConditionalGeneration(
        T5Config(
            vocab_size=len(tokenizer),
            d_model=64,
            d_kv=16,
            d_ff=128,
            num_layers=2,
            num_heads=4,
            dropout_rate=0.0,
            decoder_start_token_id=0,
            **variant,
        )
    )
    sources = [f"to {name}: {text}" for name in ("German", "French") for text in SENTENCES["en"]]
    targets = SENTENCES["de"] + SENTENCES["fr"]
    inputs = tokenizer(sources, padding=True, return_tensors="pt")
    fit(model, {**inputs, "labels": labels_of(tokenizer, targets)})

    model.save_pretrained(tmp_path)
    model = T5ForConditionalGeneration.from_pretrained(tmp_path)
    for options in ({}, {"num_beams": 3}, {"penalty_alpha": 0.1, "top_k": 3}):
        ids = model.generate(**inputs, max_new_tokens=30, **options)
        assert tokenizer.batch_decode(ids, skip_special_tokens=True) == targets, options


def test_m2m100_is_told_the_language(tmp_path):
    tokenizer = M2M100Tokenizer(
        str(TOKENIZERS / "m2m_100" / "vocab.json"),
        str(TOKENIZERS / "unigram.model"),
        src_lang="en",
        additional_special_tokens=[f"__{code}__" for code in LANGUAGES],  # as checkpoints list them
    )
    model = M2M100ForConditionalGeneration(
        M2M100Config(
            vocab_size=len(tokenizer) + tokenizer.num_madeup_words,
            d_model=64,
            encoder_layers=2,
            decoder_layers=2,
            encoder_attention_heads=4,
            decoder_attention_heads=4,
            encoder_ffn_dim=128,
            decoder_ffn_dim=128,
            encoder_layerdrop=0.0,
            decoder_layerdrop=0.0,
            dropout=0.0,
            attention_dropout=0.0,
            max_position_embeddings=64,
        )
    )
    inputs = tokenizer(SENTENCES["en"], padding=True, return_tensors="pt")
    labels = []
    for language in ("de", "fr"):
        tokenizer.tgt_lang = language
        labels.append(labels_of(tokenizer, SENTENCES[language]))
    longest = max(x.shape[1] for x in labels)
    labels = [torch.nn.functional.pad(x, (0, longest - x.shape[1]), value=-100) for x in labels]
    both = {name: torch.cat((x, x)) for name, x in inputs.items()}  # each sentence with both of its translations
    # The first label, the language, cannot be known: it is given in generation, and does not count here.
    targets = torch.cat(labels)
    start = model.prepare_decoder_input_ids_from_labels(targets)
    targets[:, 0] = -100
    fit(model, {**both, "decoder_input_ids": start, "labels": targets})

    model.save_pretrained(tmp_path)
    model = M2M100ForConditionalGeneration.from_pretrained(tmp_path)
    for language in ("de", "fr"):
        for options in ({}, {"num_beams": 4}):
            ids = model.generate(
                **inputs, forced_bos_token_id=tokenizer.get_lang_id(language), max_new_tokens=30, **options
            )
            assert (ids[:, 1] == tokenizer.get_lang_id(language)).all()
            assert tokenizer.batch_decode(ids, skip_special_tokens=True) == SENTENCES[language], options
