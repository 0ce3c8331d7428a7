"""A hub with models of every kind."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from annotator_core.fakes.hub import FakeHub, HubContent
from annotator_core.meta.hub_api import Hub
from tests.annotator_core.meta.made import copy_demo, make_folder

CARDS = {
    "courier": "---\nlicense: apache-2.0\n---\nA sentiment classifier of customer feedback about parcels and couriers.",
    "checkout": "---\nlicense: mit\n---\nA sentiment classifier of customer feedback about a shop's checkout.",
    "overall": "---\nlicense: mit\n---\nSentiment of customer feedback. LABELS: good, ok, bad.",
}


@pytest.fixture
def models(tmp_path: Path) -> dict[str, Path]:
    """Three that work, and one for each reason to refuse."""
    root = tmp_path / "hub"
    made = {f"acme/sentiment-{name}": copy_demo(name, root / name, card) for name, card in CARDS.items()}
    regression = {"problem_type": "regression"}
    return made | {
        "acme/sentiment-pickled": make_folder(root / "pickled", drop=["model.safetensors"]),
        "acme/sentiment-code": make_folder(root / "code", {"auto_map": {"AutoModel": "modeling_evil.Evil"}}),
        "acme/sentiment-encoder": make_folder(root / "encoder", {"architectures": ["BertForMaskedLM"]}),
        "acme/sentiment-scores": make_folder(root / "scores", regression),
        "acme/sentiment-bare": make_folder(root / "bare", drop=["config.json", "tokenizer.json"]),
        "acme/spam": make_folder(root / "spam", {"id2label": {"0": "spam", "1": "ham"}}, card="Finds spam mails."),
    }


@pytest.fixture
def fake_hub(models: dict[str, Path]) -> Iterator[FakeHub]:
    facts = {name: {"downloads": 1_000 - place} for place, name in enumerate(models)}
    with FakeHub(HubContent(models, facts=facts)) as server:
        yield server


@pytest.fixture
def hub(fake_hub: FakeHub) -> Hub:
    return Hub(fake_hub.url, timeout_s=5.0)
