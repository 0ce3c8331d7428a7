"""Tiny real transformers, fake specialists, and a folder of each, made once per session."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from annotator_core.fakes.specialist import FakeSettings, write_fake_specialist

LABELS = ("negative", "neutral", "positive")
SENTENCE = "good bad fine awful great terrible movie flight service the a is was not very late on time never again"
WORDS = [
    *SENTENCE.split(),
    *[f"##{letter}" for letter in "abcdefghijklmnopqrstuvwxyz"],
    *"abcdefghijklmnopqrstuvwxyz.,!?0123456789",
]


def make_tokenizer(folder: Path) -> None:
    from tokenizers import BertWordPieceTokenizer
    from transformers import BertTokenizerFast

    vocab = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]
    backend = BertWordPieceTokenizer({word: index for index, word in enumerate(vocab)})
    BertTokenizerFast(tokenizer_object=backend._tokenizer, model_max_length=32).save_pretrained(folder)


def make_classifier(folder: Path, *, labels: tuple[str, ...] = LABELS, seed: int = 0, vocab_size: int = 120) -> Path:
    import torch
    from transformers import BertConfig, BertForSequenceClassification

    torch.manual_seed(seed)
    config = BertConfig(
        vocab_size=vocab_size,
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=40,
        initializer_range=0.5,
        id2label=dict(enumerate(labels)),
        label2id={label: index for index, label in enumerate(labels)},
    )
    model = BertForSequenceClassification(config)
    model.save_pretrained(folder)
    make_tokenizer(folder)
    return folder


@pytest.fixture
def torch():
    """The library, imported when a test asks for it."""
    import torch

    return torch


@pytest.fixture(scope="session")
def classifier_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_classifier(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture
def classifier(classifier_template: Path, tmp_path: Path) -> Path:
    """A copy of a tiny real classifier that the test may spoil."""
    return Path(shutil.copytree(classifier_template, tmp_path / "tiny"))


@pytest.fixture
def fake_folder(tmp_path: Path) -> Callable[..., Path]:
    """Write a fake specialist: fake_folder("name", noise=0.1, ...)."""

    def write(name: str = "fake", **settings: object) -> Path:
        return write_fake_specialist(tmp_path / name, FakeSettings(**({"labels": LABELS} | settings)))

    return write
