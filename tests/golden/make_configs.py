"""Write `configs/expected.json`: what the reference says about configurations and auto classes.

Run in an environment with `transformers==4.36.2`:

    python tests/golden/make_configs.py

For each configuration class: the parameters of its constructor, and `to_dict` and `to_diff_dict` for its defaults and
for a changed configuration. For each auto table: model type -> name of the class, for the architectures named here.
"""

from __future__ import annotations

import inspect
import json
from pathlib import Path

import transformers
from transformers.models.auto import modeling_auto

MODEL_TYPES = [
    "bart", "beit", "bert", "bit", "blenderbot-small", "clap", "clip", "clip_vision_model", "codegen", "convnext",
    "convnextv2", "ctrl", "deit", "dinov2", "distilbert", "dpt", "gpt2", "gpt_neox", "gptj", "llama", "m2m_100",
    "mistral", "opt", "phi", "resnet", "roberta", "roberta-prelayernorm", "swin", "t5", "upernet", "vit", "wav2vec2",
    "xlm-roberta", "yolos",
]  # fmt: skip
# Changes through names that all of them understand, by field or by `attribute_map`.
CHANGES = {
    "num_hidden_layers": 3,
    "num_attention_heads": 8,
    "hidden_size": 64,
    "torch_dtype": "float16",
    "id2label": {"0": "no", "1": "yes", "2": "perhaps"},
    "eos_token_id": 7,
    "temperature": 0.5,
    "architectures": ["Something"],
    "name_or_path": "some/where",
    "unheard_of": {"nested": [1, 2]},
}


def describe(model_type: str) -> dict:
    """What the reference says about one configuration class."""
    cls = transformers.CONFIG_MAPPING[model_type]
    parameters = list(inspect.signature(cls.__init__).parameters.values())[1:]
    default = cls()
    # Not what is a list in this configuration (Swin's heads), nor what others default to (layers of T5's decoder).
    odd = {name for name in CHANGES if isinstance(getattr(default, name, None), list)}
    odd |= {"num_hidden_layers"} if model_type == "t5" else set()
    changes = {name: value for name, value in CHANGES.items() if name not in odd}
    changed = cls(**changes)
    return {
        "changes": changes,
        "class": cls.__name__,
        "parameters": [[p.name, p.default] for p in parameters if p.kind is not p.VAR_KEYWORD],
        "attribute_map": cls.attribute_map,
        "keys_to_ignore_at_inference": cls.keys_to_ignore_at_inference
        if hasattr(cls, "keys_to_ignore_at_inference")
        else [],
        "default": cls().to_dict(),
        "default_diff": cls().to_diff_dict(),
        "changed": changed.to_dict(),
        "changed_diff": changed.to_diff_dict(),
    }


def tables() -> dict:
    """Name of each auto table -> model type -> name (or names) of the class."""
    names = [name for name in vars(modeling_auto) if name.startswith("MODEL_") and name.endswith("_MAPPING_NAMES")]
    return {
        name: {key: value for key, value in getattr(modeling_auto, name).items() if key in MODEL_TYPES}
        for name in names
    }


def main() -> None:
    assert transformers.__version__ == "4.36.2", transformers.__version__
    expected = {
        "base": transformers.PretrainedConfig().to_dict(),
        "configs": {model_type: describe(model_type) for model_type in MODEL_TYPES},
        "tables": tables(),
        "auto_classes": sorted(name for name in dir(transformers) if name.startswith(("AutoModel", "AutoBackbone"))),
    }
    path = Path(__file__).parent / "configs" / "expected.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(
        json.dumps(expected, indent=1, sort_keys=True, default=lambda dtype: str(dtype).split(".")[-1]) + "\n",
        encoding="utf-8",
    )


if __name__ == "__main__":
    main()
