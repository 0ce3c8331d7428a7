"""Tiny models of five architectures over eleven words, and requests to train them."""

from pathlib import Path

from annotator_core.refine.plan import TrainingPlan, TrainingRequest, TrainingRow
from annotator_core.types import LabelMap

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "good", "bad", "fine", "the", "parcel", "was", "very"]
TEXTS = ("the parcel was good", "very bad", "good", "the parcel was very bad", "very good parcel", "bad", "fine")
CLASSES = (0, 1, 0, 1, 0, 1, 0)
NAMES = ("positive", "negative")
SMALL = {"num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32, "max_position_embeddings": 40}
SHAPES = {
    "bert": {"hidden_size": 16, **SMALL},
    "distilbert": {"dim": 16, "n_layers": 1, "n_heads": 2, "hidden_dim": 32, "max_position_embeddings": 40},
    "roberta": {"hidden_size": 16, "pad_token_id": 0, **SMALL},
    "electra": {"hidden_size": 16, "embedding_size": 16, **SMALL},
    "deberta-v2": {"hidden_size": 16, **SMALL},
}
ARCHITECTURES = tuple(SHAPES)


def write_tokenizer(folder: Path) -> None:
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.WordLevel({word: index for index, word in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]").save_pretrained(folder)


def write_model(
    folder: Path, architecture: str = "bert", *, labels: tuple[str, ...] = NAMES, kind: str = "SequenceClassification"
) -> Path:
    """Write a model with big random weights, so that its answers differ; kind is the end of its Auto class's name."""
    import torch
    import transformers

    write_tokenizer(folder)
    torch.manual_seed(1)
    names = dict(enumerate(labels))
    config = transformers.AutoConfig.for_model(
        architecture, vocab_size=len(WORDS), initializer_range=0.2, id2label=names,
        label2id={label: index for index, label in names.items()}, **SHAPES[architecture],
    )  # fmt: skip
    auto = getattr(transformers, f"AutoModelFor{kind}" if kind else "AutoModel")
    auto.from_config(config).save_pretrained(folder)
    return folder


def make_request(
    folder: Path, *, labels: tuple[str, ...] = NAMES, targets: tuple[int, ...] = (0, 1), backend: str = "torch", **plan
) -> TrainingRequest:
    figures = {"epochs": 3, "learning_rate": 1e-2, "batch_size": 2, "max_length": 16, "seed": 5} | plan
    rows = tuple(TrainingRow(text, index) for text, index in zip(TEXTS, CLASSES, strict=True))
    return TrainingRequest(folder, backend, rows, LabelMap(labels, targets), NAMES, TrainingPlan(**figures))
