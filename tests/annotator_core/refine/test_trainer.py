"""The fine-tuning loop on a tiny model."""

import hashlib
from pathlib import Path

import pytest

from annotator_core.errors import BadInput
from annotator_core.refine.trainer import FineTuned, Step, fine_tune

TEXTS = ["the parcel was good", "very bad", "good", "the parcel was very bad", "very good parcel", "bad"] * 4
LABELS = [1, 0, 1, 0, 1, 0] * 4


def tune(folder: Path, out: Path, *, seed: int = 3, epochs: int = 6, on_step=None) -> FineTuned:
    return fine_tune(
        folder, TEXTS, LABELS, out, epochs=epochs, learning_rate=1e-2, batch_size=4, max_length=16, seed=seed,
        on_step=on_step,
    )  # fmt: skip


def weights_hash(folder: Path) -> str:
    return hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()


def test_fine_tune_lowers_the_loss(tiny_model: Path, tmp_path: Path) -> None:
    done = tune(tiny_model, tmp_path / "out")
    assert done.steps == 36
    assert done.epoch_losses[-1] < 0.5 * done.epoch_losses[0]


def test_fine_tune_same_seed_gives_the_same_weights(tiny_model: Path, tmp_path: Path) -> None:
    tune(tiny_model, tmp_path / "one")
    tune(tiny_model, tmp_path / "two")
    tune(tiny_model, tmp_path / "three", seed=4)
    hashes = [weights_hash(tmp_path / name) for name in ("one", "two", "three")]
    assert (hashes[0] == hashes[1], hashes[0] == hashes[2]) == (True, False)


def test_fine_tune_leaves_its_source_untouched(tiny_model: Path, tmp_path: Path) -> None:
    before = weights_hash(tiny_model)
    tune(tiny_model, tmp_path / "out", epochs=1)
    assert (weights_hash(tiny_model), weights_hash(tmp_path / "out") == before) == (before, False)


def test_fine_tune_result_loads_and_classifies(tiny_model: Path, tmp_path: Path) -> None:
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    tune(tiny_model, tmp_path / "out")
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "out")
    model = AutoModelForSequenceClassification.from_pretrained(tmp_path / "out")
    inputs = tokenizer(["good parcel", "parcel was bad"], padding=True, return_tensors="pt")
    logits = model(input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"]).logits
    assert logits.argmax(-1).tolist() == [1, 0]


def test_fine_tune_reports_each_step(tiny_model: Path, tmp_path: Path) -> None:
    steps: list[Step] = []
    tune(tiny_model, tmp_path / "out", epochs=2, on_step=steps.append)
    assert [(step.number, step.of) for step in steps] == [(number, 12) for number in range(1, 13)]


def test_fine_tune_stopped_in_between_leaves_nothing(tiny_model: Path, tmp_path: Path) -> None:
    def stop(step: Step) -> None:
        if step.number == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tune(tiny_model, tmp_path / "versions" / "out", on_step=stop)
    assert not (tmp_path / "versions").exists()


@pytest.mark.parametrize(
    ("texts", "labels", "message"),
    [
        (["good"], [1, 0], "1 texts came with 2 labels; each text needs one."),
        ([], [], "There is no labeled text to fine-tune on."),
        (["good"], [2], "The model has label ids 0 to 1, not 2."),
    ],
)
def test_fine_tune_refuses_examples(tiny_model: Path, tmp_path: Path, texts, labels, message) -> None:
    with pytest.raises(BadInput) as refused:
        fine_tune(tiny_model, texts, labels, tmp_path / "out")
    assert str(refused.value) == message


def test_fine_tune_never_overwrites_a_version(tiny_model: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with pytest.raises(BadInput, match="exists already"):
        tune(tiny_model, tmp_path / "out")
