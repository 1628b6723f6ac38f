"""Docstrings of `forward` methods, put together from one description per input."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping

# Shapes in brackets; ids and positions are int64, masks 1 for what counts and 0 for padding, everything else floating.
INPUTS = {
    "input_ids": "(batch, sequence): token ids, as the tokenizer makes them.",
    "attention_mask": "(batch, sequence): 1 for tokens, 0 for padding; with a cache, past positions included.",
    "token_type_ids": "(batch, sequence): the segment of each token, 0 or 1.",
    "position_ids": "(batch, sequence): the position of each token; counted from the start by default.",
    "head_mask": "(heads,) or (layers, heads): 1 keeps an attention head, 0 silences it.",
    "inputs_embeds": "(batch, sequence, hidden): embeddings in place of `input_ids`.",
    "encoder_hidden_states": "(batch, encoder sequence, hidden): what cross-attention looks at.",
    "encoder_attention_mask": "(batch, encoder sequence): 1 for positions to look at, 0 for padding.",
    "past_key_values": "the cache that an earlier call returned, or nested tuples of keys and values per layer.",
    "decoder_input_ids": "(batch, target sequence): ids for the decoder; made from `labels` where those are given.",
    "decoder_attention_mask": "(batch, target sequence): 1 for tokens, 0 for padding.",
    "decoder_head_mask": "as `head_mask`, for the decoder's self-attention.",
    "cross_attn_head_mask": "as `head_mask`, for the decoder's cross-attention.",
    "encoder_outputs": "what the encoder returned earlier, to skip running it.",
    "decoder_inputs_embeds": "(batch, target sequence, hidden): embeddings in place of `decoder_input_ids`.",
    "decoder_position_ids": "(batch, target sequence): the position of each token of the decoder.",
    "pixel_values": "(batch, channels, height, width): images, as the image processor makes them.",
    "pixel_mask": "(batch, height, width): 1 for pixels, 0 for padding.",
    "bool_masked_pos": "(batch, patches): True for patches to hide from the model.",
    "interpolate_pos_encoding": "fit the positions to images of another size than the model's.",
    "input_values": "(batch, samples): recordings at the model's sampling rate, as the feature extractor makes them.",
    "input_features": "(batch, channels, frames, bands): spectrograms, as the feature extractor makes them.",
    "is_longer": "(batch, 1): whether a recording was longer than the model's window, and so is fused.",
    "mask_time_indices": "(batch, frames): True for frames to hide from the model.",
    "labels": "what to predict; the output then holds a `loss`. Entries of -100 do not count.",
    "next_sentence_label": "(batch,): 0 where the second text follows the first, 1 where it does not.",
    "start_positions": "(batch,): where the answer begins.",
    "end_positions": "(batch,): where the answer ends, that token included.",
    "mc_token_ids": "(batch, choices): the token of each choice that is classified.",
    "mc_labels": "(batch,): the right choice.",
    "return_loss": "whether to compute the loss.",
    "use_cache": "return `past_key_values`; by default what the config says, as for the following.",
    "output_attentions": "return the attention weights of each layer, (batch, heads, queries, keys).",
    "output_hidden_states": "return the hidden states before each layer and after the last.",
    "return_dict": "return a `ModelOutput`; a tuple of its fields that are set if False.",
}


def forward_docstring(names: Iterable[str], own: Mapping[str, str] | None = None) -> str:
    """The docstring of a `forward` with these inputs; `own` describes those whose meaning is not the usual one."""
    known = {**INPUTS, **(own or {})}
    lines = [
        textwrap.fill(f"{name}: {known[name]}", 112, initial_indent="    ", subsequent_indent="        ")
        for name in names
        if name in known
    ]
    return "Run the model.\n\nArgs:\n" + "\n".join(lines) + "\n"
