"""GPT-J: a decoder whose attention and feed-forward share one normalisation and run side by side."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from ...heads import CausalLM, ExtractiveQA, LastTokenScore
from ...layers import Call, Dropout, FeedForward, Rotary, attend, model_forward, run_layers, split_heads
from ...layers.legacy import apply_interleaved_rotary_pos_emb as apply_rotary_pos_emb  # noqa: F401
from ...layers.legacy import create_sinusoidal_positions, get_embed_positions, rotate_every_two  # noqa: F401
from ...modeling_utils import PreTrainedModel
from .configuration_gptj import GPTJConfig


class GPTJAttention(nn.Module):
    def __init__(self, config: Any, index: int = 0) -> None:
        super().__init__()
        width = config.hidden_size
        self.index, self.num_attention_heads = index, config.num_attention_heads
        self.build_projections(width)
        self.out_proj = nn.Linear(width, width, bias=False)
        self.attn_dropout = Dropout(config.attn_pdrop)
        self.resid_dropout = Dropout(config.resid_pdrop)
        self.rotary = Rotary(
            config.rotary_dim or width // self.num_attention_heads,
            max_position_embeddings=config.max_position_embeddings,
            interleaved=True,
        )

    def build_projections(self, width: int) -> None:
        self.k_proj = nn.Linear(width, width, bias=False)
        self.v_proj = nn.Linear(width, width, bias=False)
        self.q_proj = nn.Linear(width, width, bias=False)

    def project(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys and values, each `(batch, heads, sequence, head_size)`."""
        return tuple(split_heads(proj(x), self.num_attention_heads) for proj in (self.q_proj, self.k_proj, self.v_proj))  # type: ignore[return-value]

    def forward(self, x: Tensor, call: Call) -> Tensor:
        q, k, v = self.project(x)
        q, k = self.rotary(q, k, call)
        p = self.attn_dropout.rate
        return self.resid_dropout(self.out_proj(attend(q, k, v, call, self.index, dropout=p, rotary=self.rotary)))


class GPTJMLP(FeedForward, up="fc_in", down="fc_out", act="activation_function", dropout="resid_pdrop"): ...


class GPTJBlock(nn.Module):
    attention_class: type = GPTJAttention
    mlp_class: type = GPTJMLP

    def __init__(self, config: Any, index: int = 0) -> None:
        super().__init__()
        self.ln_1 = nn.LayerNorm(config.n_embd, config.layer_norm_epsilon)
        self.attn = self.attention_class(config, index)
        self.mlp = self.mlp_class(config, config.n_inner or 4 * config.n_embd)

    def forward(self, x: Tensor, call: Call) -> Tensor:
        y = self.ln_1(x)
        return x + self.attn(y, call) + self.mlp(y)


class GPTJPreTrainedModel(PreTrainedModel):
    config_class: type = GPTJConfig
    base_model_prefix, input_embeddings = "transformer", "wte"
    ignored_checkpoint_keys: tuple[str, ...] = (r"attn\.(bias|masked_bias|embed_positions)$",)
    _no_split_modules = ["GPTJBlock"]


class GPTJModel(GPTJPreTrainedModel):
    block_class: type = GPTJBlock

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        self.wte = nn.Embedding(config.vocab_size, config.n_embd)
        self.drop = Dropout(config.embd_pdrop)
        self.h = nn.ModuleList(self.block_class(config, i) for i in range(config.n_layer))
        self.ln_f = nn.LayerNorm(config.n_embd, config.layer_norm_epsilon)

    @model_forward
    def forward(self, input_ids=None, past_key_values=None, attention_mask=None, token_type_ids=None, position_ids=None,
                head_mask=None, inputs_embeds=None, *, call: Call) -> Any:  # fmt: skip
        x = call.start_decoding(self.wte, input_ids, inputs_embeds, attention_mask, position_ids)
        if token_type_ids is not None:
            x = x + self.wte(token_type_ids)
        return call.finish(self.ln_f(run_layers(self.h, self.drop(x), call)))


class GPTJForCausalLM(
    CausalLM, GPTJPreTrainedModel, body=GPTJModel, head="lm_head", bias=True, upcast=True, narrow_loss=True
): ...


class GPTJForSequenceClassification(LastTokenScore, GPTJPreTrainedModel, body=GPTJModel): ...


class GPTJForQuestionAnswering(
    ExtractiveQA, GPTJPreTrainedModel, body=GPTJModel,
    signature="input_ids attention_mask token_type_ids position_ids head_mask inputs_embeds",
): ...  # fmt: skip
