"""Make golden cases of text encoders and of models of two parts: settings that the plain cases leave at their defaults.

python tests/golden/variants_encoders.py [NAME …]    # in an environment with torch==2.13.0 transformers==4.36.2
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parent))
from make_golden import read, write
from make_variants import encoder_states, float_labels, head_mask

FOLDER = Path(__file__).parent
CROSS = {"is_decoder": True, "add_cross_attention": True}


def positions(inputs: dict) -> dict:
    return {"position_ids": torch.arange(inputs["input_ids"].shape[1])[None] + 2}


def choice_labels(inputs: dict) -> dict:
    """Different choices, unlike those of the plain case, so that gradients do not cancel."""
    generator = torch.Generator().manual_seed(1)
    return {"input_ids": torch.randint(5, 90, inputs["input_ids"].shape, generator=generator)}


def three_d_mask(inputs: dict) -> dict:
    batch, length = inputs["input_ids"].shape
    mask = torch.ones(batch, length, length, dtype=torch.long).tril(1)
    return {"attention_mask": mask}


# (plain case, variant, changed settings, makers of further inputs)
VARIANTS = [
    ("bert/BertModel", "relative", {"position_embedding_type": "relative_key", "chunk_size_feed_forward": 1}, ()),
    ("bert/BertModel", "mask3d", {"hidden_act": "relu"}, (three_d_mask, positions)),
    ("bert/BertForMaskedLM", "relative_query", {"position_embedding_type": "relative_key_query"}, (head_mask(2, 4),)),
    ("bert/BertForMaskedLM", "untied", {"tie_word_embeddings": False}, ()),
    ("bert/BertForMultipleChoice", "different", {"classifier_dropout": 0.0}, (choice_labels,)),
    ("bert/BertForSequenceClassification", "multilabel", {"num_labels": 3}, (float_labels(3),)),
    ("bert/BertForSequenceClassification", "regression", {"num_labels": 1}, (float_labels(1),)),
    ("bert/BertLMHeadModel", "cross", CROSS, (encoder_states, head_mask(2, 4))),
    ("bert/BertLMHeadModel", "relative", {"is_decoder": True, "position_embedding_type": "relative_key_query"}, ()),
    ("roberta/RobertaModel", "relative", {"position_embedding_type": "relative_key"}, (head_mask(2, 4),)),
    ("roberta/RobertaForCausalLM", "cross", CROSS, (encoder_states,)),
    ("roberta_prelayernorm/RobertaPreLayerNormForCausalLM", "cross", CROSS, (encoder_states,)),
    ("distilbert/DistilBertForMaskedLM", "fixed", {"sinusoidal_pos_embds": True, "activation": "relu"},
     (head_mask(2, 4),)),
]  # fmt: skip

BERT = {
    "model_type": "bert", "vocab_size": 99, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4,
    "intermediate_size": 37, "max_position_embeddings": 64, "hidden_dropout_prob": 0.0,
    "attention_probs_dropout_prob": 0.0,
}  # fmt: skip
GPT2 = {
    "model_type": "gpt2", "vocab_size": 79, "n_embd": 24, "n_layer": 2, "n_head": 3, "n_positions": 64,
    "resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0,
}  # fmt: skip
ROBERTA = {**BERT, "model_type": "roberta", "pad_token_id": 1}
CLIP_VISION = {
    "model_type": "clip_vision_model", "hidden_size": 24, "intermediate_size": 37, "num_hidden_layers": 2,
    "num_attention_heads": 4, "image_size": 12, "patch_size": 4,
}  # fmt: skip
START = {"decoder_start_token_id": 2, "pad_token_id": 0}
# class -> its cases: name -> configuration
PAIRS = {
    "EncoderDecoderModel": {
        "bert_bert": {"encoder": BERT, "decoder": {**BERT, **CROSS}, **START},
        "roberta_gpt2": {"encoder": ROBERTA, "decoder": {**GPT2, **CROSS}, **START},
        "tied": {"encoder": BERT, "decoder": {**BERT, **CROSS}, "tie_encoder_decoder": True, **START},
    },
    "VisionEncoderDecoderModel": {
        "clip_roberta": {"encoder": CLIP_VISION, "decoder": {**ROBERTA, **CROSS}, **START},
    },
    "VisionTextDualEncoderModel": {
        "clip_roberta": {"vision_config": CLIP_VISION, "text_config": ROBERTA, "projection_dim": 20},
    },
}


def pair_inputs(name: str) -> dict:
    generator = torch.Generator().manual_seed(0)

    def ids(length: int) -> torch.Tensor:
        return torch.randint(3, 79, (3, length), generator=generator)

    mask = torch.ones(3, 7, dtype=torch.long)
    mask[1, 5:] = 0
    images = torch.randn(3, 3, 12, 12, generator=generator)
    if name.startswith("VisionText"):
        return {"input_ids": ids(7), "attention_mask": mask, "pixel_values": images}
    labels = ids(5)
    labels[0, 3:] = -100
    inputs = {"decoder_input_ids": ids(5), "labels": labels}
    if name.startswith("Vision"):
        return {"pixel_values": images, **inputs, "gen.pixel_values": images}
    text = {"input_ids": ids(7), "attention_mask": mask}
    return {**text, **inputs, **{f"gen.{key}": value for key, value in text.items()}}


def pairs() -> list:
    """Specs, inputs and paths of the cases of models of two parts."""
    found = []
    for name, cases in PAIRS.items():
        for variant, config in cases.items():
            config = json.loads(json.dumps(config))
            config["model_type"] = {"E": "encoder-decoder", "VE": "vision-encoder-decoder"}.get(
                "E" if name[0] == "E" else name[0] + name[6], "vision-text-dual-encoder"
            )
            dual = "text_config" in config
            spec = {
                "class": name,
                "config_class": name.replace("Model", "Config"),
                "config": config,
                "labels": [] if dual else ["labels"],
                "loss_kwargs": {"return_loss": True} if dual else {},
                "generate": None if dual else {},
                "loss": True,
            }
            folder = config["model_type"].replace("-", "_")
            found.append((spec, pair_inputs(name), FOLDER / folder / f"{name}@{variant}.safetensors"))
    return found


def changed() -> list:
    """Specs, inputs and paths of the variants of plain cases."""
    found = []
    for plain, variant, changes, makers in VARIANTS:
        spec, inputs, _, _ = read(FOLDER / f"{plain}.safetensors")
        spec["config"].update(changes)
        if spec["config"].get("num_labels"):
            count = spec["config"].pop("num_labels")
            spec["config"]["id2label"] = {i: f"LABEL_{i}" for i in range(count)}
            spec["config"]["label2id"] = {f"LABEL_{i}": i for i in range(count)}
        for make in makers:
            inputs.update(make(inputs))
        spec["loss"] = bool(spec["labels"])
        found.append((spec, inputs, FOLDER / f"{plain}@{variant}.safetensors"))
    return found


def main() -> None:
    torch.set_num_threads(1)
    for spec, inputs, path in changed() + pairs():
        if not sys.argv[1:] or path.stem in sys.argv[1:]:
            write(json.loads(json.dumps(spec)), inputs, str(path))
            print(path.name, path.stat().st_size)


if __name__ == "__main__":
    main()
