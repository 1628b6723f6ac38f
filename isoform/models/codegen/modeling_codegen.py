"""CodeGen: GPT-J with one fused projection, in the slices of its training machine (Nijkamp et al. 2022)."""

from __future__ import annotations

from torch import Tensor, nn

from ...heads import CausalLM
from ..gptj.modeling_gptj import (  # noqa: F401
    GPTJMLP,
    GPTJAttention,
    GPTJBlock,
    GPTJModel,
    GPTJPreTrainedModel,
    apply_rotary_pos_emb,
    create_sinusoidal_positions,
    rotate_every_two,
)
from .configuration_codegen import CodeGenConfig

SLICES = 4  # tensor-parallel cores of the training run; the checkpoint's rows are grouped by them


class CodeGenAttention(GPTJAttention):
    def build_projections(self, width: int) -> None:
        self.qkv_proj = nn.Linear(width, 3 * width, bias=False)

    def project(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        def heads(y: Tensor) -> Tensor:  # (batch, sequence, slices, width / slices)
            y = y.unflatten(-1, (self.num_attention_heads // SLICES, -1))
            return y.flatten(2, 3).transpose(1, 2)

        q, v, k = self.qkv_proj(x).unflatten(-1, (SLICES, -1)).chunk(3, -1)
        return heads(q), heads(k), heads(v)


class CodeGenMLP(GPTJMLP): ...


class CodeGenBlock(GPTJBlock):
    attention_class, mlp_class = CodeGenAttention, CodeGenMLP


class CodeGenPreTrainedModel(GPTJPreTrainedModel):
    config_class = CodeGenConfig
    ignored_checkpoint_keys = (r"attn\.(causal_mask|bias|masked_bias|embed_positions)$",)
    _no_split_modules = ["CodeGenBlock"]


class CodeGenModel(CodeGenPreTrainedModel, GPTJModel):
    block_class = CodeGenBlock


class CodeGenForCausalLM(
    CausalLM, CodeGenPreTrainedModel, body=CodeGenModel, head="lm_head", bias=True, upcast=True, narrow_loss=True
): ...
