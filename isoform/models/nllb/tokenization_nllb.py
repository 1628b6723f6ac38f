"""The Python tokenizer of NLLB (NLLB team 2022): 200 languages."""

# ruff: noqa: SIM905 (lists of codes are easier to read as words)
from __future__ import annotations

from typing import Any

from ..._tokenization_languages import Languages
from ...tokenization_bpe import as_added_token
from ...tokenization_sentencepiece import SPIECE_UNDERLINE, FairseqTokenizer
from ...tokenization_utils_base import AddedToken

__all__ = ["FAIRSEQ_LANGUAGE_CODES", "SPIECE_UNDERLINE", "VOCAB_FILES_NAMES", "NllbTokenizer"]

VOCAB_FILES_NAMES = {"vocab_file": "sentencepiece.bpe.model"}
PRETRAINED_POSITIONAL_EMBEDDINGS_SIZES: dict[str, int | None] = {"facebook/nllb-200-distilled-600M": 1024}

# Languages and their scripts, in the order of their ids.
FAIRSEQ_LANGUAGE_CODES = """
    ace_Arab ace_Latn acm_Arab acq_Arab aeb_Arab afr_Latn ajp_Arab aka_Latn amh_Ethi apc_Arab arb_Arab ars_Arab
    ary_Arab arz_Arab asm_Beng ast_Latn awa_Deva ayr_Latn azb_Arab azj_Latn bak_Cyrl bam_Latn ban_Latn bel_Cyrl
    bem_Latn ben_Beng bho_Deva bjn_Arab bjn_Latn bod_Tibt bos_Latn bug_Latn bul_Cyrl cat_Latn ceb_Latn ces_Latn
    cjk_Latn ckb_Arab crh_Latn cym_Latn dan_Latn deu_Latn dik_Latn dyu_Latn dzo_Tibt ell_Grek eng_Latn epo_Latn
    est_Latn eus_Latn ewe_Latn fao_Latn pes_Arab fij_Latn fin_Latn fon_Latn fra_Latn fur_Latn fuv_Latn gla_Latn
    gle_Latn glg_Latn grn_Latn guj_Gujr hat_Latn hau_Latn heb_Hebr hin_Deva hne_Deva hrv_Latn hun_Latn hye_Armn
    ibo_Latn ilo_Latn ind_Latn isl_Latn ita_Latn jav_Latn jpn_Jpan kab_Latn kac_Latn kam_Latn kan_Knda kas_Arab
    kas_Deva kat_Geor knc_Arab knc_Latn kaz_Cyrl kbp_Latn kea_Latn khm_Khmr kik_Latn kin_Latn kir_Cyrl kmb_Latn
    kon_Latn kor_Hang kmr_Latn lao_Laoo lvs_Latn lij_Latn lim_Latn lin_Latn lit_Latn lmo_Latn ltg_Latn ltz_Latn
    lua_Latn lug_Latn luo_Latn lus_Latn mag_Deva mai_Deva mal_Mlym mar_Deva min_Latn mkd_Cyrl plt_Latn mlt_Latn
    mni_Beng khk_Cyrl mos_Latn mri_Latn zsm_Latn mya_Mymr nld_Latn nno_Latn nob_Latn npi_Deva nso_Latn nus_Latn
    nya_Latn oci_Latn gaz_Latn ory_Orya pag_Latn pan_Guru pap_Latn pol_Latn por_Latn prs_Arab pbt_Arab quy_Latn
    ron_Latn run_Latn rus_Cyrl sag_Latn san_Deva sat_Beng scn_Latn shn_Mymr sin_Sinh slk_Latn slv_Latn smo_Latn
    sna_Latn snd_Arab som_Latn sot_Latn spa_Latn als_Latn srd_Latn srp_Cyrl ssw_Latn sun_Latn swe_Latn swh_Latn
    szl_Latn tam_Taml tat_Cyrl tel_Telu tgk_Cyrl tgl_Latn tha_Thai tir_Ethi taq_Latn taq_Tfng tpi_Latn tsn_Latn
    tso_Latn tuk_Latn tum_Latn tur_Latn twi_Latn tzm_Tfng uig_Arab ukr_Cyrl umb_Latn urd_Arab uzn_Latn vec_Latn
    vie_Latn war_Latn wol_Latn xho_Latn ydd_Hebr yor_Latn yue_Hant zho_Hans zho_Hant zul_Latn
""".split()


class NllbLanguages(Languages):
    """What both tokenizers of NLLB share: the tokens of languages are their codes."""

    src_lang_default = "eng_Latn"
    tgt_lang_default = "fra_Latn"

    def _language_id(self, language: str) -> int:
        index = self.convert_tokens_to_ids(language)  # type: ignore[attr-defined]
        if index is None or (index == self.unk_token_id and language != self.unk_token):  # type: ignore[attr-defined]
            raise KeyError(language)
        return index

    @property
    def lang_code_to_id(self) -> dict[str, int]:
        """The id of each language."""
        return {code: self._language_id(code) for code in FAIRSEQ_LANGUAGE_CODES}

    @property
    def id_to_lang_code(self) -> dict[int, str]:
        """The language of each id that stands for one."""
        return {index: code for code, index in self.lang_code_to_id.items()}


def with_languages(tokens: list[str | AddedToken] | None) -> list[str | AddedToken]:
    """The languages, and further special tokens."""
    known = set(FAIRSEQ_LANGUAGE_CODES)
    return [*FAIRSEQ_LANGUAGE_CODES, *(token for token in tokens or () if str(token) not in known)]


class NllbTokenizer(NllbLanguages, FairseqTokenizer):
    """SentencePiece tokenizer of NLLB, in Python.

    A text is written ``eng_Latn … </s>``: first the token of its language.

    Args:
        vocab_file: Path of ``sentencepiece.bpe.model``.
        bos_token: Token for the beginning of a text.
        eos_token: Token behind each text.
        sep_token: Token that separates texts.
        cls_token: Token whose last hidden state stands for the whole.
        unk_token: Token for what is not in the vocabulary.
        pad_token: Token for padding.
        mask_token: Token for what is to be guessed; the space before it belongs to it.
        tokenizer_file: Kept with the settings; has no effect here.
        src_lang: Language of the texts; by default English, ``eng_Latn``.
        tgt_lang: Language of target texts.
        sp_model_kwargs: Options of ``sentencepiece.SentencePieceProcessor``.
        additional_special_tokens: Further special tokens.
        legacy_behaviour: Write ``… </s> eng_Latn``, as the first versions did.
        **kwargs: Options of every tokenizer, see :class:`PreTrainedTokenizer`.
    """

    max_model_input_sizes = PRETRAINED_POSITIONAL_EMBEDDINGS_SIZES
    _tail = (*FAIRSEQ_LANGUAGE_CODES, "<mask>")

    def __init__(
        self,
        vocab_file: str,
        bos_token: str | AddedToken = "<s>",
        eos_token: str | AddedToken = "</s>",
        sep_token: str | AddedToken = "</s>",
        cls_token: str | AddedToken = "<s>",
        unk_token: str | AddedToken = "<unk>",
        pad_token: str | AddedToken = "<pad>",
        mask_token: str | AddedToken = "<mask>",
        tokenizer_file: str | None = None,
        src_lang: str | None = None,
        tgt_lang: str | None = None,
        sp_model_kwargs: dict[str, Any] | None = None,
        additional_special_tokens: list[str | AddedToken] | None = None,
        legacy_behaviour: bool = False,
        **kwargs: Any,
    ) -> None:
        self.legacy_behaviour = legacy_behaviour
        super().__init__(
            vocab_file,
            sp_model_kwargs=sp_model_kwargs,
            bos_token=bos_token,
            eos_token=eos_token,
            unk_token=unk_token,
            sep_token=sep_token,
            cls_token=cls_token,
            pad_token=pad_token,
            mask_token=as_added_token(mask_token, lstrip=True),
            tokenizer_file=tokenizer_file,
            src_lang=src_lang,
            tgt_lang=tgt_lang,
            additional_special_tokens=with_languages(additional_special_tokens),
            legacy_behaviour=legacy_behaviour,
            **kwargs,
        )
        self._set_languages(src_lang, tgt_lang)
