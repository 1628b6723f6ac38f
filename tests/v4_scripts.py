"""Programs in the style of v4.36's documentation and examples. Each takes the library and a folder.

The same functions run on the reference (`golden/make_v4.py`) and on isoform (`test_v4_scripts.py`).
"""

from __future__ import annotations

import json
import os
import zlib
from typing import Any

import torch
from torch import nn

IDS = torch.arange(3, 15).reshape(2, 6)


def fill(model: Any) -> Any:
    """The model with weights that depend on their names alone."""
    with torch.no_grad():
        for name, weight in model.state_dict(keep_vars=True).items():
            if weight.is_floating_point():
                generator = torch.Generator().manual_seed(zlib.crc32(name.encode()))
                weight.copy_(torch.randn(weight.shape, generator=generator) * 0.15)
    model.tie_weights()
    return model.eval()


def small_gpt2(lib: Any, **options: Any) -> Any:
    none = {"eos_token_id": None, "bos_token_id": None}
    options = {"resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0, **none, **options}
    return lib.GPT2Config(n_embd=16, n_layer=2, n_head=2, n_positions=32, vocab_size=40, **options)


def own_model(lib: Any, folder: str) -> dict[str, Any]:
    """A model written from nothing, registered with the auto classes, saved, loaded, trained, resized."""

    class TinyConfig(lib.PretrainedConfig):
        model_type = "tiny-v4"
        attribute_map = {"num_hidden_layers": "n_layer"}

        def __init__(self, vocab_size=20, hidden_size=8, n_layer=2, **kwargs):
            self.vocab_size, self.hidden_size, self.n_layer = vocab_size, hidden_size, n_layer
            super().__init__(**kwargs)

    class TinyPreTrainedModel(lib.PreTrainedModel):
        config_class, base_model_prefix, supports_gradient_checkpointing = TinyConfig, "tiny", True

        def _init_weights(self, module):
            if isinstance(module, nn.Linear):
                module.weight.data.fill_(0.02)
                if module.bias is not None:
                    module.bias.data.zero_()
            elif isinstance(module, nn.Embedding):
                module.weight.data.copy_(torch.linspace(-1, 1, module.weight.numel()).view_as(module.weight))

    class TinyModel(TinyPreTrainedModel):
        def __init__(self, config):
            super().__init__(config)
            self.embed = nn.Embedding(config.vocab_size, config.hidden_size)
            self.layers = nn.ModuleList(
                nn.Linear(config.hidden_size, config.hidden_size) for _ in range(config.n_layer)
            )
            self.gradient_checkpointing = False
            self.post_init()

        def get_input_embeddings(self):
            return self.embed

        def set_input_embeddings(self, value):
            self.embed = value

        def forward(self, input_ids, attention_mask=None, return_dict=None):
            x = self.embed(input_ids)
            for layer in self.layers:
                checkpointed = self.gradient_checkpointing and self.training
                x = x + (self._gradient_checkpointing_func(layer.__call__, x) if checkpointed else layer(x)).tanh()
            return lib.modeling_outputs.BaseModelOutput(last_hidden_state=x)

    class TinyForCausalLM(TinyPreTrainedModel):
        _tied_weights_keys = ["head.weight"]

        def __init__(self, config, extra=3):
            super().__init__(config)
            self.tiny, self.extra = TinyModel(config), extra
            self.head = nn.Linear(config.hidden_size, config.vocab_size, bias=False)
            self.post_init()

        def get_output_embeddings(self):
            return self.head

        def set_output_embeddings(self, value):
            self.head = value

        def prepare_inputs_for_generation(self, input_ids, attention_mask=None, **kwargs):
            return {"input_ids": input_ids, "attention_mask": attention_mask}

        def forward(self, input_ids=None, attention_mask=None, labels=None, **kwargs):
            logits = self.head(self.tiny(input_ids).last_hidden_state.cumsum(1))
            loss = None
            if labels is not None:
                loss = nn.functional.cross_entropy(logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten())
            return lib.modeling_outputs.CausalLMOutputWithPast(loss=loss, logits=logits)

    lib.AutoConfig.register("tiny-v4", TinyConfig)
    lib.AutoModelForCausalLM.register(TinyConfig, TinyForCausalLM)
    model = lib.AutoModelForCausalLM.from_config(TinyConfig(n_layer=3))
    made = {
        "loss": model(IDS, labels=IDS).loss,
        "greedy": model.generate(IDS, max_new_tokens=4, pad_token_id=0),
        "beams": model.generate(IDS, max_new_tokens=4, pad_token_id=0, num_beams=2),
    }
    model.save_pretrained(folder)
    loaded = lib.AutoModelForCausalLM.from_pretrained(folder, extra=9)
    base, info = TinyModel.from_pretrained(folder, output_loading_info=True)
    loaded.gradient_checkpointing_enable()
    loaded.train()
    loaded(IDS, labels=IDS).loss.backward()
    gradient = loaded.tiny.layers[0].weight.grad.norm()
    loaded.resize_token_embeddings(24)
    return {
        **made,
        "files": sorted(os.listdir(folder)),
        "extra": loaded.extra,
        "missing": sorted(info["missing_keys"]),
        "tied": loaded.head.weight is loaded.tiny.embed.weight,
        "gradient": gradient,
        "resized": [*loaded.head.weight.shape, loaded.config.vocab_size],
        "base": base(IDS).last_hidden_state[0, 0],
    }


def own_forward(lib: Any, folder: str) -> dict[str, Any]:
    """A subclass of GPT-2 whose forward takes one argument more and hands the others on."""

    class Scaled(lib.GPT2LMHeadModel):
        def forward(self, input_ids=None, attention_mask=None, scale=1.0, **kwargs):
            output = super().forward(input_ids, attention_mask=attention_mask, **kwargs)
            output.logits = output.logits * scale
            return output

        def prepare_inputs_for_generation(self, input_ids, scale=1.0, **kwargs):
            return {**super().prepare_inputs_for_generation(input_ids, **kwargs), "scale": scale}

    model = fill(Scaled(small_gpt2(lib)))
    mask = torch.ones_like(IDS)
    mask[0, :2] = 0
    options = {"max_new_tokens": 5, "pad_token_id": 0, "attention_mask": mask}
    return {
        "greedy": model.generate(IDS, **options),
        "negative": model.generate(IDS, scale=-1.0, **options),
        "beams": model.generate(IDS, scale=-1.0, num_beams=3, **options),
    }


def own_decoding(lib: Any, folder: str) -> dict[str, Any]:
    """Own logits processor and stopping criterion, a saved GenerationConfig, `inputs_embeds`, scores of transitions."""

    class OddOnly(lib.LogitsProcessor):
        def __call__(self, input_ids, scores):
            scores[:, ::2] = -float("inf")
            return scores

    class AtTen(lib.StoppingCriteria):
        def __call__(self, input_ids, scores, **kwargs):
            return input_ids.shape[1] >= 10

    model = fill(lib.GPT2LMHeadModel(small_gpt2(lib, eos_token_id=39, bos_token_id=38)))
    lib.GenerationConfig(num_beams=2, early_stopping=True, pad_token_id=39, eos_token_id=39).save_pretrained(folder)
    loaded, unused = lib.GenerationConfig.from_pretrained(
        folder, max_new_tokens=6, nonsense=1, return_unused_kwargs=True
    )
    scored = model.generate(
        IDS, max_new_tokens=4, num_beams=3, output_scores=True, return_dict_in_generate=True, pad_token_id=39
    )
    torch.manual_seed(3)
    return {
        "sampled": model.generate(IDS, do_sample=True, top_k=8, top_p=0.9, max_new_tokens=6, pad_token_id=39),
        "own": model.generate(
            IDS,
            max_new_tokens=20,
            pad_token_id=39,
            logits_processor=lib.LogitsProcessorList([OddOnly()]),
            stopping_criteria=lib.StoppingCriteriaList([AtTen()]),
        ),
        "saved": model.generate(IDS, generation_config=loaded),
        "unused": unused,
        "embeds": model.generate(
            inputs_embeds=model.get_input_embeddings()(IDS), max_new_tokens=4, attention_mask=torch.ones_like(IDS)
        ),
        "transitions": model.compute_transition_scores(scored.sequences, scored.scores, scored.beam_indices),
    }


def training(lib: Any, folder: str) -> dict[str, Any]:
    """A plain training loop with accumulation, clipping and groups of weight decay, saved with its labels."""
    labels = {0: "O", 1: "PER", 2: "LOC"}
    model = fill(lib.GPT2ForTokenClassification(small_gpt2(lib, id2label=labels, classifier_dropout=0.0))).train()
    decayed = [p for p in model.parameters() if p.dim() > 1]
    others = [p for p in model.parameters() if p.dim() == 1]
    groups = [{"params": decayed, "weight_decay": 0.01}, {"params": others, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=5e-3)
    losses = []
    for step in range(6):
        loss = model(IDS + step, labels=IDS % 3).loss
        (loss / 2).backward()
        losses.append(float(loss.detach()))
        if step % 2:
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad()
    model.save_pretrained(folder)
    with open(os.path.join(folder, "config.json"), encoding="utf-8") as file:
        saved = json.load(file)
    wider = lib.GPT2ForTokenClassification.from_pretrained(folder, num_labels=5, ignore_mismatched_sizes=True)
    return {
        "losses": losses,
        "id2label": saved["id2label"],
        "label2id": saved["label2id"],
        "wider": list(wider.classifier.weight.shape),
        "logits": model.eval()(IDS).logits[0, 0],
    }


SCRIPTS = {function.__name__: function for function in (own_model, own_forward, own_decoding, training)}


def plain(value: Any) -> Any:
    """Tensors as rounded lists, for JSON."""
    if isinstance(value, torch.Tensor):
        return value.detach().double().round(decimals=5).tolist() if value.is_floating_point() else value.tolist()
    return {key: plain(entry) for key, entry in value.items()} if isinstance(value, dict) else value
