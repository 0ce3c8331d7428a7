"""Untrained small classifiers of three architectures, each with a tokenizer of its own."""

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from transformers import PretrainedConfig

Architecture = Literal["bert", "distilbert", "roberta"]

HIDDEN = 96
MAX_TOKENS = 128
PARTS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
BPE_PARTS = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")


def train_wordpiece(texts: Sequence[str], vocabulary: int, *, lowercase: bool) -> "Tokenizer":
    """A WordPiece tokenizer learned from the texts, as BERT's: at most `vocabulary` pieces, the same every time."""
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

    normalizer = normalizers.BertNormalizer(lowercase=lowercase)
    splitter = pre_tokenizers.BertPreTokenizer()
    words = Counter(word for text in texts for word, _ in splitter.pre_tokenize_str(normalizer.normalize_str(text)))
    pieces = [*PARTS, *choose_pieces(words, vocabulary - len(PARTS))]
    ids = {piece: index for index, piece in enumerate(pieces)}
    tokenizer = Tokenizer(models.WordPiece(ids, unk_token=PARTS[1]))
    tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = splitter
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.add_special_tokens(list(PARTS))
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    return tokenizer


def choose_pieces(words: Counter[str], count: int) -> list[str]:
    """Pieces for WordPiece by falling use: those that a BPE of the words cuts them into, `##` before inner ones.

    The library's own WordPiece trainer numbers its pieces in another order each time, so no training with it can be
    repeated; its BPE trainer always gives the same.
    """
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    cutter = Tokenizer(models.BPE())
    cutter.pre_tokenizer = pre_tokenizers.Whitespace()
    cutter.train_from_iterator(sorted(words.elements()), trainers.BpeTrainer(vocab_size=count, show_progress=False))
    used: Counter[str] = Counter()
    for word, times in sorted(words.items()):
        for index, piece in enumerate(cutter.encode(word).tokens):
            used["##" * (index > 0) + piece] += times
    letters = sorted({letter for word in words for letter in word})
    for piece in [*letters, *("##" + letter for letter in letters)]:
        used[piece] += len(words)
    return [piece for piece, _ in sorted(used.items(), key=lambda pair: (-pair[1], pair[0]))[:count]]


def train_byte_bpe(texts: Sequence[str], vocabulary: int) -> "Tokenizer":
    """A byte-level BPE tokenizer learned from the texts, as RoBERTa's: no text has an unknown token."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary, special_tokens=list(BPE_PARTS), show_progress=False,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
    )  # fmt: skip
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    return tokenizer


def bert_config(vocabulary: int, names: dict[int, str]) -> "PretrainedConfig":
    """Three layers, as BERT."""
    from transformers import BertConfig

    return BertConfig(
        vocab_size=vocabulary, hidden_size=HIDDEN, num_hidden_layers=3, num_attention_heads=4,
        intermediate_size=3 * HIDDEN, max_position_embeddings=MAX_TOKENS, id2label=names, label2id=turned(names),
        pad_token_id=0,
    )  # fmt: skip


def distilbert_config(vocabulary: int, names: dict[int, str]) -> "PretrainedConfig":
    """Two layers without token types, as DistilBERT."""
    from transformers import DistilBertConfig

    return DistilBertConfig(
        vocab_size=vocabulary, dim=HIDDEN, n_layers=2, n_heads=4, hidden_dim=3 * HIDDEN,
        max_position_embeddings=MAX_TOKENS, id2label=names, label2id=turned(names), pad_token_id=0,
    )  # fmt: skip


def roberta_config(vocabulary: int, names: dict[int, str]) -> "PretrainedConfig":
    """Two wide layers, positions counted from the padding id on, as RoBERTa."""
    from transformers import RobertaConfig

    return RobertaConfig(
        vocab_size=vocabulary, hidden_size=HIDDEN, num_hidden_layers=2, num_attention_heads=4,
        intermediate_size=4 * HIDDEN, max_position_embeddings=MAX_TOKENS + 2, id2label=names, label2id=turned(names),
        type_vocab_size=1, pad_token_id=1, bos_token_id=0, eos_token_id=2,
    )  # fmt: skip


CONFIGS: dict[Architecture, Callable[[int, dict[int, str]], "PretrainedConfig"]] = {
    "bert": bert_config,
    "distilbert": distilbert_config,
    "roberta": roberta_config,
}


def turned(names: dict[int, str]) -> dict[str, int]:
    """Label ids by name."""
    return {name: index for index, name in names.items()}


def train_tokenizer(architecture: Architecture, texts: Sequence[str], vocabulary: int) -> "Tokenizer":
    """The tokenizer of the architecture: BERT's keeps letter case here, DistilBERT's does not."""
    if architecture == "roberta":
        return train_byte_bpe(texts, vocabulary)
    return train_wordpiece(texts, vocabulary, lowercase=architecture == "distilbert")


def write_fresh_model(
    folder: Path, architecture: Architecture, texts: Sequence[str], label_names: Sequence[str], *, vocabulary: int,
    seed: int,
) -> None:  # fmt: skip
    """Writes an untrained classifier over `label_names`, with a tokenizer learned from the texts, into `folder`."""
    import torch
    from transformers import AutoModelForSequenceClassification, PreTrainedTokenizerFast

    tokenizer = train_tokenizer(architecture, texts, vocabulary)
    start, pad, end, unknown, mask = BPE_PARTS if architecture == "roberta" else (
        "[CLS]", "[PAD]", "[SEP]", "[UNK]", "[MASK]"
    )  # fmt: skip
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, model_max_length=MAX_TOKENS, pad_token=pad, unk_token=unknown, mask_token=mask,
        cls_token=start, sep_token=end, model_input_names=["input_ids", "attention_mask"],
    ).save_pretrained(folder)  # fmt: skip
    torch.manual_seed(seed)
    config = CONFIGS[architecture](tokenizer.get_vocab_size(), dict(enumerate(label_names)))
    AutoModelForSequenceClassification.from_config(config).save_pretrained(folder)
