"""What a training teaches a model, and which models and rows it refuses."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from annotator_core.errors import BadInput, BadLabelMap, BadModelFolder
from annotator_core.refine.learner import Learner
from annotator_core.refine.plan import Trained, TrainingRequest, TrainingRow
from annotator_core.refine.trainer import train
from annotator_core.specialists.contract import SpecialistSpec
from annotator_core.specialists.folder import hash_folder, inspect_folder
from annotator_core.specialists.table import load_specialist
from annotator_core.types import ABSTAIN, LabelMap
from tests.annotator_core.refine.models import ARCHITECTURES, CLASSES, NAMES, TEXTS, WORDS, make_request, write_model


def vote(trained: Trained, texts: tuple[str, ...] = TEXTS) -> list[int]:
    spec = SpecialistSpec(trained.folders[-1], trained.label_map, len(NAMES))
    return load_specialist("torch", spec).predict(texts).probs.argmax(-1).tolist()


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_trained_model_knows_its_rows(tmp_path: Path, architecture: str) -> None:
    trained = train(make_request(write_model(tmp_path / "m", architecture), epochs=25), tmp_path / "w")
    assert vote(trained) == list(CLASSES)
    assert len(trained.losses) == 100


@pytest.mark.parametrize("architecture", ["bert", "distilbert", "roberta"])
def test_class_without_a_label_is_learned_with_a_new_head(tmp_path: Path, architecture: str) -> None:
    folder = write_model(tmp_path / "m", architecture, labels=("good", "great"))
    request = make_request(folder, labels=("good", "great"), targets=(0, 0), epochs=25)
    trained = train(request, tmp_path / "w")
    assert (trained.label_map, inspect_folder(trained.folders[0]).labels) == (LabelMap(NAMES, (0, 1)), NAMES)
    assert vote(trained) == list(CLASSES)


def test_several_labels_may_mean_a_class_and_others_none(tmp_path: Path) -> None:
    labels = ("bad", "good", "great", "noise")
    folder = write_model(tmp_path / "m", labels=labels)
    trained = train(make_request(folder, labels=labels, targets=(1, 0, 0, ABSTAIN), epochs=25), tmp_path / "w")
    assert inspect_folder(trained.folders[-1]).labels == labels
    assert vote(trained) == list(CLASSES)


def test_heavier_of_two_contradicting_rows_wins(tmp_path: Path) -> None:
    request = make_request(write_model(tmp_path / "m"), epochs=25)
    rows = tuple(TrainingRow(text, index, 0.1) for text, index in zip(TEXTS, CLASSES, strict=True))
    against = tuple(TrainingRow(text, 1 - index) for text, index in zip(TEXTS, CLASSES, strict=True))
    request = replace(request, rows=rows + against, plan=replace(request.plan, batch_size=14))
    assert vote(train(request, tmp_path / "w")) == [1 - index for index in CLASSES]


def test_bf16_trains_fp32_weights_and_repeats(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "m")
    one, two = (train(make_request(folder, precision="bf16"), tmp_path / name) for name in ("one", "two"))
    fp32 = train(make_request(folder), tmp_path / "three")
    assert hash_folder(one.folders[-1]) == hash_folder(two.folders[-1]) != hash_folder(fp32.folders[-1])
    assert one.losses == pytest.approx(fp32.losses, rel=0.1, abs=0.1)
    assert json.loads((one.folders[-1] / "config.json").read_text())["dtype"] == "float32"


def test_versions_keep_tokenizer_and_card_and_are_readable_by_all(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "m")
    (folder / "README.md").write_text("---\nlicense: mit\n---\n")
    version = train(make_request(folder), tmp_path / "w").folders[0]
    for name in ("tokenizer.json", "tokenizer_config.json", "README.md"):
        assert (version / name).read_bytes() == (folder / name).read_bytes()
    assert [oct(path.stat().st_mode)[-3:] for path in (version, version / "model.safetensors")] == ["755", "644"]


def test_texts_are_cut_at_what_the_model_reads(tmp_path: Path) -> None:
    request = make_request(write_model(tmp_path / "m"), max_length=512)
    longest = TrainingRow("very " * 100 + "good", 0)
    assert len(train(replace(request, rows=(*request.rows, longest)), tmp_path / "w").folders) == 3


def test_training_that_runs_away_is_refused(tmp_path: Path) -> None:
    request = make_request(write_model(tmp_path / "m"), learning_rate=1e30)
    with pytest.raises(BadInput, match="ran away at step 2: choose a smaller learning rate"):
        train(request, tmp_path / "w")


def test_map_of_other_labels_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadLabelMap, match="other labels than those of the model"):
        train(make_request(write_model(tmp_path / "m"), labels=("a", "b")), tmp_path / "w")


def test_text_without_a_known_token_is_refused(tmp_path: Path) -> None:
    request = make_request(write_model(tmp_path / "m"))
    tokens = json.loads((request.folder / "tokenizer.json").read_text())
    tokens["model"]["vocab"]["strange"] = len(WORDS)
    (request.folder / "tokenizer.json").write_text(json.dumps(tokens))
    with pytest.raises(BadInput, match="Row 8 has no tokens that the model knows"):
        Learner(replace(request, rows=(*request.rows, TrainingRow("strange", 0))))


def spoil_weights(folder: Path) -> None:
    from safetensors.torch import load_file, save_file

    tensors = load_file(folder / "model.safetensors")
    del tensors["classifier.weight"]
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


def spoil_tokenizer(folder: Path) -> None:
    (folder / "tokenizer.json").write_text("{}")


def spoil_padding(folder: Path) -> None:
    path = folder / "tokenizer_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"pad_token": None}))


def spoil_config(folder: Path) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"model_type": "unheard-of"}))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (spoil_weights, r"lack classifier.weight \(1 in all\)"),
        (spoil_tokenizer, "The tokenizer in .* does not load"),
        (spoil_padding, "has no padding token"),
        (spoil_config, "The model in .* does not load"),
    ],
)
def test_model_that_cannot_be_trained_is_refused(tmp_path: Path, spoil, message: str) -> None:
    request: TrainingRequest = make_request(write_model(tmp_path / "m"))
    spoil(request.folder)
    with pytest.raises(BadModelFolder, match=message):
        Learner(request)


def test_optimizer_spares_biases_and_norms_from_decay(tmp_path: Path) -> None:
    groups = Learner(make_request(write_model(tmp_path / "m"))).get_state()["optimizer"]["param_groups"]
    assert [group["weight_decay"] for group in groups] == [0.01, 0.0]
