"""The whole search over real HTTP, with the demo's real transformers."""

import csv
from pathlib import Path

import numpy as np
import pytest

from annotator_core.demo import CLASSES, feedback_path
from annotator_core.errors import HubUnavailable, TryLater
from annotator_core.fakes.hub import FakeHub
from annotator_core.fakes.hub_search import Step
from annotator_core.meta.choice import WhyNot
from annotator_core.meta.hub_api import Hub
from annotator_core.meta.label_maps import Origin
from annotator_core.meta.reading import Refusal
from annotator_core.meta.search import Rows, Source, Wish, find_models, no_gold
from annotator_core.meta.similarity import Method
from annotator_core.meta.task import Task
from tests.annotator_core.meta.made import make_language_model

TASK = Task("Sentiment of customer feedback about parcels", CLASSES)
NAMES = ("acme/sentiment-courier", "acme/sentiment-checkout", "acme/sentiment-overall")


@pytest.fixture(scope="module")
def rows() -> Rows:
    with feedback_path().open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))[:120]
    return Rows([line["text"] for line in lines], np.array([CLASSES.index(line["gold"]) for line in lines]))


@pytest.fixture
def source(hub: Hub, tmp_path: Path) -> Source:
    return Source(hub, tmp_path / "files")


def test_models_are_found_refused_mapped_proved_and_chosen(source: Source, rows: Rows) -> None:
    told: list[str] = []
    found = find_models(TASK, rows, Wish(candidates=3), source, tell=told.append)
    assert (found.words.queries, found.words.is_by_llm) == (("sentiment", "feedback", "parcels"), False)
    assert found.similarity.method is Method.TFIDF
    assert {one.reading.model_id for one in found.tried} == set(NAMES)
    assert {one.model_id: one.refusals[0] for one in found.refused}["acme/sentiment-pickled"] is Refusal.NO_SAFETENSORS
    accuracies = [one.proof.accuracy.value for one in found.tried]
    assert accuracies == sorted(accuracies, reverse=True)
    assert accuracies[-1] > 0.5
    assert [one.choice.rank for one in found.tried] == [1, 2, 3]
    assert told[0] == f"Searching {source.hub.address} for sentiment, feedback, parcels."
    assert not list(source.folder.glob("*"))
    overall = next(one for one in found.tried if one.reading.model_id == "acme/sentiment-overall")
    assert overall.reading.labels == ("bad", "ok", "good")
    assert overall.proposed.label_map.targets == (0, 1, 2)
    assert overall.proposed.origins == (Origin.ROWS,) * 3
    assert overall.proof.n_gold == 60


def test_without_known_classes_models_are_proved_by_each_other(source: Source, rows: Rows) -> None:
    found = find_models(TASK, Rows(rows.texts, no_gold(len(rows.texts))), Wish(candidates=2, top=1), source)
    assert all(one.proof.accuracy.value is None and one.proof.information > 0.1 for one in found.tried)
    assert [one.choice.why_not for one in found.tried] == [None, WhyNot.OTHERS_BETTER]


def test_a_language_model_writes_the_words_and_judges_the_cards(source: Source, rows: Rows) -> None:
    model = make_language_model({"queries": ["sentiment-c"]}, {"score": 40}, {"score": 80}, {"score": 20})
    found = find_models(TASK, rows, Wish(candidates=1), source, language_model=model)
    assert (found.words.is_by_llm, found.similarity.method) == (True, Method.LANGUAGE_MODEL)
    assert [one.reading.model_id for one in found.tried] == ["acme/sentiment-checkout"]
    assert [one.model_id for one in found.passed_over] == ["acme/sentiment-courier"]
    assert model.ledger.spent_nano == 60_000


def test_a_model_that_vanishes_before_its_files_come_fails_alone(fake_hub: FakeHub, source: Source, rows: Rows) -> None:
    def vanish(line: str) -> None:
        if line.startswith("Trying"):
            fake_hub.content.lost = frozenset({NAMES[0]})

    found = find_models(TASK, rows, Wish(candidates=1), source, tell=vanish)
    ((lost, why),) = found.failed
    assert (lost.model_id, "was not found" in why) == (NAMES[0], True)


def test_damaged_weights_fail_alone_and_leave_no_files(models: dict[str, Path], source: Source, rows: Rows) -> None:
    (models[NAMES[0]] / "model.safetensors").write_bytes(b"0" * 100)
    found = find_models(TASK, rows, Wish(candidates=1), source)
    ((_broken, why),) = found.failed
    assert "damaged" in why
    assert not list(source.folder.glob("*"))


def test_a_hub_that_goes_away_or_is_busy_ends_the_search(fake_hub: FakeHub, source: Source, rows: Rows) -> None:
    for status, error in ((503, HubUnavailable), (429, TryLater)):
        fake_hub.content.steps.append(Step("/api/models/acme", status=status))
        with pytest.raises(error):
            find_models(TASK, rows, Wish(), source)


def test_nothing_found_is_an_empty_result(source: Source, rows: Rows) -> None:
    found = find_models(Task("zzzz", ("q", "w")), rows, Wish(), source)
    assert (found.tried, found.refused, found.failed) == ((), (), ())
