"""A small encoder-decoder in the style of users' own models: nested tuples as cache and all hooks written out.

Built on whichever library is passed, so that the reference and ours can run the very same model.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

PAD, BOS, EOS, START = 0, 1, 2, 3


class Attention(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.q, self.k, self.v, self.o = (nn.Linear(width, width) for _ in range(4))

    def forward(self, x: Any, source: Any, mask: Any, past: Any = None, grow: bool = True) -> Any:
        def split(y: Any) -> Any:
            return y.unflatten(-1, (self.heads, -1)).transpose(1, 2)

        q = split(self.q(x))
        if past is not None and not grow:
            k, v = past
        else:
            k, v = split(self.k(source)), split(self.v(source))
            if past is not None:
                k, v = torch.cat((past[0], k), 2), torch.cat((past[1], v), 2)
        weights = (q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5 + mask[..., -q.shape[2] :, : k.shape[2]]).softmax(-1)
        return self.o((weights @ v).transpose(1, 2).flatten(2)), (k, v), weights


class Encoder(nn.Module):
    main_input_name = "input_ids"

    def __init__(self, config: Any, outputs: Any) -> None:
        super().__init__()
        self.outputs = outputs
        self.embed = nn.Embedding(config.vocab_size, config.hidden_size)
        self.positions = nn.Embedding(64, config.hidden_size)
        self.attention = Attention(config.hidden_size, config.num_attention_heads)

    def forward(self, input_ids=None, attention_mask=None, inputs_embeds=None, output_attentions=None,
                output_hidden_states=None, return_dict=None):  # fmt: skip
        x = self.embed(input_ids) if inputs_embeds is None else inputs_embeds
        mask = torch.zeros(1, 1, x.shape[1], x.shape[1])
        if attention_mask is not None:
            mask = mask.expand(x.shape[0], -1, -1, -1).masked_fill(attention_mask[:, None, None] == 0, -1e9)
        first = x + self.positions.weight[: x.shape[1]]
        y, _, weights = self.attention(first, first, mask)
        return self.outputs.BaseModelOutput(
            last_hidden_state=first + y,
            hidden_states=(first, first + y) if output_hidden_states else None,
            attentions=(weights,) if output_attentions else None,
        )


class Layer(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.own, self.cross = Attention(width, heads), Attention(width, heads)
        self.norm, self.up, self.down = nn.LayerNorm(width), nn.Linear(width, 2 * width), nn.Linear(2 * width, width)


class Decoder(nn.Module):
    def __init__(self, config: Any) -> None:
        super().__init__()
        width = config.hidden_size
        self.embed, self.positions = nn.Embedding(config.vocab_size, width), nn.Embedding(64, width)
        self.layers = nn.ModuleList(Layer(width, config.num_attention_heads) for _ in range(config.num_hidden_layers))


def build(library: Any) -> tuple[type, type]:
    """The configuration and the model class on `library`, a module with the public names of version 4.36."""
    from importlib import import_module

    outputs = import_module(f"{library.__name__}.modeling_outputs")

    class ToyConfig(library.PretrainedConfig):
        model_type = "toy-encoder-decoder"

        def __init__(self, vocab_size=40, hidden_size=32, num_attention_heads=4, num_hidden_layers=2, **kwargs):
            self.vocab_size, self.hidden_size = vocab_size, hidden_size
            self.num_attention_heads, self.num_hidden_layers = num_attention_heads, num_hidden_layers
            ids = {"pad_token_id": PAD, "bos_token_id": BOS, "eos_token_id": EOS, "decoder_start_token_id": START}
            super().__init__(is_encoder_decoder=True, **{**ids, **kwargs})

    class ToyForConditionalGeneration(library.PreTrainedModel):
        config_class, base_model_prefix, main_input_name = ToyConfig, "toy", "input_ids"

        def __init__(self, config):
            super().__init__(config)
            self.encoder, self.decoder = Encoder(config, outputs), Decoder(config)
            self.head = nn.Linear(config.hidden_size, config.vocab_size)
            self.post_init()

        def _init_weights(self, module):
            pass

        def get_encoder(self):
            return self.encoder

        def forward(self, input_ids=None, attention_mask=None, decoder_input_ids=None, decoder_attention_mask=None,
                    encoder_outputs=None, past_key_values=None, inputs_embeds=None, use_cache=None,
                    output_attentions=None, output_hidden_states=None, return_dict=None):  # fmt: skip
            if encoder_outputs is None:
                encoder_outputs = self.encoder(input_ids, attention_mask, inputs_embeds)
            source = encoder_outputs[0]
            start = past_key_values[0][0].shape[2] if past_key_values is not None else 0
            length = start + decoder_input_ids.shape[1]
            own_mask = torch.full((length, length), -1e9).triu(1)[None, None]
            cross_mask = torch.zeros(1, 1, 1, source.shape[1])
            if attention_mask is not None:
                cross_mask = cross_mask.masked_fill(attention_mask[:, None, None] == 0, -1e9)
            x = self.decoder.embed(decoder_input_ids) + self.decoder.positions.weight[start:length]
            hidden, own_weights, cross_weights, past = [x], [], [], []
            for i, layer in enumerate(self.decoder.layers):
                old = past_key_values[i] if past_key_values is not None else (None,) * 4
                y, pair, weights = layer.own(x, x, own_mask, old[:2] if old[0] is not None else None)
                own_weights.append(weights)
                x = x + y
                mask = cross_mask.expand(-1, -1, x.shape[1], -1)
                y, cross, weights = layer.cross(x, source, mask, old[2:] if old[0] is not None else None, grow=False)
                cross_weights.append(weights)
                x = layer.norm(x + y)
                x = x + layer.down(layer.up(x).relu())
                hidden.append(x)
                past.append(pair + cross)
            return outputs.Seq2SeqLMOutput(
                logits=self.head(x),
                past_key_values=tuple(past) if use_cache else None,
                decoder_hidden_states=tuple(hidden) if output_hidden_states else None,
                decoder_attentions=tuple(own_weights) if output_attentions else None,
                cross_attentions=tuple(cross_weights) if output_attentions else None,
                encoder_last_hidden_state=source,
            )

        def prepare_inputs_for_generation(self, decoder_input_ids, past_key_values=None, attention_mask=None,
                                          use_cache=None, encoder_outputs=None, **kwargs):  # fmt: skip
            if past_key_values is not None:
                seen = past_key_values[0][0].shape[2]
                # Contrastive search passes the candidates alone.
                seen = seen if decoder_input_ids.shape[1] > seen else decoder_input_ids.shape[1] - 1
                decoder_input_ids = decoder_input_ids[:, seen:]
            return {
                "decoder_input_ids": decoder_input_ids,
                "past_key_values": past_key_values,
                "encoder_outputs": encoder_outputs,
                "attention_mask": attention_mask,
                "use_cache": use_cache,
            }

        @staticmethod
        def _reorder_cache(past_key_values, beam_idx):
            return tuple(tuple(x.index_select(0, beam_idx) for x in layer) for layer in past_key_values)

    return ToyConfig, ToyForConditionalGeneration
