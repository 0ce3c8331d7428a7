"""The shipped specialists: small, loadable, named by their maps, good but not too good, and quick to fine-tune."""

import json
from pathlib import Path

import pytest

from annotator_core import demo
from annotator_core.demo.evaluate import Report, evaluate, format_table, majority_of
from annotator_core.demo.fresh import train_wordpiece
from annotator_core.demo.train import RECIPES, label_ids, read_examples, take_slice
from annotator_core.refine.trainer import fine_tune

FOLDERS = demo.specialist_folders()


@pytest.fixture(scope="module")
def report() -> Report:
    return evaluate(FOLDERS)


@pytest.mark.parametrize("name", demo.SPECIALIST_NAMES)
def test_specialist_folder_is_small_and_whole(name: str) -> None:
    files = {path.name: path.stat().st_size for path in FOLDERS[name].iterdir()}
    assert sorted(files) == ["README.md", "config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"]
    assert sum(files.values()) <= 5_000_000


@pytest.mark.parametrize("name", demo.SPECIALIST_NAMES)
def test_specialist_card_names_its_license(name: str) -> None:
    assert (FOLDERS[name] / "README.md").read_text(encoding="utf-8").startswith("---\nlicense: apache-2.0\n")


@pytest.mark.parametrize("name", demo.SPECIALIST_NAMES)
def test_label_map_knows_each_label_of_the_model(name: str) -> None:
    config = json.loads((FOLDERS[name] / "config.json").read_text(encoding="utf-8"))
    assert set(config["id2label"].values()) == set(demo.label_maps()[name])


def test_specialists_are_of_three_architectures() -> None:
    types = {json.loads((folder / "config.json").read_text())["model_type"] for folder in FOLDERS.values()}
    assert types == {"bert", "distilbert", "roberta"}


def test_specialists_are_good_and_disagree(report: Report) -> None:
    assert all(0.75 <= accuracy <= 0.88 for accuracy in report.accuracy.values())
    assert 0.15 <= report.hard <= 0.30
    assert report.agreed_right > report.hard_right + 0.1


def test_docs_show_the_figures_of_the_shipped_models(report: Report) -> None:
    page = (Path(__file__).parents[3] / "docs" / "demo.md").read_text(encoding="utf-8")
    assert format_table(report, demo.CLASSES) in page


def test_specialist_learns_sixty_rows(tmp_path: Path) -> None:
    examples = read_examples()[-60:]
    ids = label_ids(RECIPES[0])
    labels = [ids[example.gold] for example in examples]
    done = fine_tune(FOLDERS["courier"], [e.text for e in examples], labels, tmp_path / "next", learning_rate=5e-4)
    assert (done.steps, done.epoch_losses[-1] < done.epoch_losses[0]) == (12, True)


def test_majority_of_three_different_votes_is_none() -> None:
    assert (majority_of(["a", "b", "a"]), majority_of(["a", "b", "c"])) == ("a", "")


def test_slices_differ_and_hold_the_recipes_counts() -> None:
    examples = read_examples()
    slices = [{example.text for example in take_slice(examples, recipe)} for recipe in RECIPES]
    assert [len(texts) for texts in slices] == [sum(recipe.rows.values()) for recipe in RECIPES]
    assert len(set.intersection(*slices)) < 0.5 * min(map(len, slices))


def test_wordpiece_is_the_same_every_time_and_cuts_known_words_whole() -> None:
    texts = ["the parcel was late", "the parcel was lovely", "Late parcel!"] * 5
    first, second = (train_wordpiece(texts, 60, lowercase=True) for _ in range(2))
    assert first.to_str() == second.to_str()
    assert first.encode("The parcel").tokens == ["[CLS]", "the", "parcel", "[SEP]"]
