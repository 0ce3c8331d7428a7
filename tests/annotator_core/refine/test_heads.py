"""New heads on tiny models of each architecture."""

import json
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

from annotator_core.errors import BadInput, BadModelFolder
from annotator_core.refine.heads import find_head, replace_head, write_fresh_head
from annotator_core.refine.loading import load_model
from annotator_core.specialists.folder import hash_folder, inspect_encoder, inspect_folder
from annotator_core.types import ABSTAIN, LabelMap
from tests.annotator_core.refine.models import ARCHITECTURES, write_model

LABELS = ("good", "great", "bad", "noise")
MAP = LabelMap(LABELS, (0, 0, 1, ABSTAIN))
CLASSES = ("positive", "negative", "neutral")


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_new_head_begins_with_the_means_of_the_mapped_labels(torch, tmp_path: Path, architecture: str) -> None:
    model, _ = load_model(write_model(tmp_path / "m", architecture, labels=LABELS))
    name, head = find_head(model)
    head.bias.data = torch.arange(4.0)
    old = head.weight.detach().clone()
    replace_head(model, MAP, CLASSES, seed=1)
    renamed, head = find_head(model)
    assert (renamed, head.out_features) == (name, 3)
    assert torch.equal(head.weight[:2], torch.stack([old[:2].mean(0), old[2]]))
    assert head.bias.tolist() == [0.5, 2.0, 0.0]


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_model_with_a_new_head_is_a_classifier_of_the_classes(torch, tmp_path: Path, architecture: str) -> None:
    model, _ = load_model(write_model(tmp_path / "m", architecture, labels=LABELS))
    replace_head(model, MAP, CLASSES, seed=1)
    model.save_pretrained(tmp_path / "m")
    loaded, loading = load_model(tmp_path / "m")
    assert inspect_folder(tmp_path / "m").labels == CLASSES
    assert (loaded.eval()(torch.tensor([[2, 4, 3]])).logits.shape, loading["missing_keys"]) == ((1, 3), set())


def test_class_without_a_label_begins_with_the_models_usual_weights(torch, tmp_path: Path) -> None:
    folder = write_model(tmp_path / "m", labels=LABELS)
    rows = []
    for seed in (1, 1, 2):
        model, _ = load_model(folder)
        replace_head(model, MAP, [*CLASSES, *"abcdefghijkl"], seed=seed)
        rows.append(find_head(model)[1].weight.detach()[2:])
    assert (torch.equal(rows[0], rows[1]), torch.equal(rows[0], rows[2])) == (True, False)
    assert rows[0].std().item() == pytest.approx(0.2, rel=0.2)


def test_head_without_bias_stays_without(tmp_path: Path) -> None:
    model, _ = load_model(write_model(tmp_path / "m", labels=LABELS))
    find_head(model)[1].bias = None
    replace_head(model, MAP, CLASSES, seed=1)
    assert find_head(model)[1].bias is None


def test_model_without_a_linear_head_gets_no_new_one(tmp_path: Path) -> None:
    model, _ = load_model(write_model(tmp_path / "m"))
    model.config.id2label = dict(enumerate("abcdefg"))
    with pytest.raises(BadModelFolder, match="BertForSequenceClassification has no linear layer with 7 outputs"):
        find_head(model)


@pytest.mark.parametrize("kind", ["", "MaskedLM", "SequenceClassification"])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_fresh_head_keeps_the_encoder(torch, tmp_path: Path, architecture: str, kind: str) -> None:
    base = write_model(tmp_path / "base", architecture, labels=CLASSES, kind=kind)
    folder = write_fresh_head(base, CLASSES, tmp_path / "out", seed=3)
    assert inspect_folder(folder).labels == CLASSES
    old, new = load_file(base / "model.safetensors"), load_file(folder / "model.safetensors")
    word = next(name for name in new if name.endswith("word_embeddings.weight"))
    bare = word if word in old else word.partition(".")[2]
    assert torch.equal(old[bare], new[word])


def test_fresh_head_is_drawn_by_seed_also_over_a_trained_one(torch, tmp_path: Path) -> None:
    base = write_model(tmp_path / "base", labels=CLASSES)
    folders = [write_fresh_head(base, CLASSES, tmp_path / f"out{i}", seed=seed) for i, seed in enumerate((3, 3, 4))]
    heads = [load_file(folder / "model.safetensors")["classifier.weight"] for folder in (base, *folders)]
    assert hash_folder(folders[0]) == hash_folder(folders[1]) != hash_folder(folders[2])
    assert not torch.equal(heads[0], heads[1])


def test_fresh_head_leaves_the_callers_randomness_alone(torch, tmp_path: Path) -> None:
    base = write_model(tmp_path / "base")
    before = torch.get_rng_state()
    write_fresh_head(base, CLASSES, tmp_path / "out", seed=3)
    assert torch.equal(before, torch.get_rng_state())


def test_fresh_head_refuses_a_base_that_lacks_its_encoder(tmp_path: Path) -> None:
    base = write_model(tmp_path / "base")
    tensors = load_file(base / "model.safetensors")
    tensors.pop("bert.embeddings.word_embeddings.weight")
    save_file(tensors, base / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(BadModelFolder, match=r"lack bert.embeddings.word_embeddings.weight \(1 in all\)"):
        write_fresh_head(base, CLASSES, tmp_path / "out", seed=3)
    assert not (tmp_path / "out").exists()


def test_fresh_head_refuses_a_base_of_other_shapes(tmp_path: Path) -> None:
    base = write_model(tmp_path / "base")
    config = json.loads((base / "config.json").read_text())
    (base / "config.json").write_text(json.dumps(config | {"vocab_size": 12}))
    with pytest.raises(BadModelFolder, match=r"lack bert\.embeddings\.word_embeddings\.weight"):
        write_fresh_head(base, CLASSES, tmp_path / "out", seed=3)


def test_fresh_head_needs_two_classes(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="at least 2 classes, not 1"):
        write_fresh_head(tmp_path, ["only"], tmp_path / "out", seed=3)


def test_inspect_encoder_takes_what_inspect_folder_refuses(tmp_path: Path) -> None:
    base = write_model(tmp_path / "base", kind="")
    card = inspect_encoder(base)
    assert (card.architecture, card.labels, card.max_length) == ("BertModel", (), 40)
    with pytest.raises(BadModelFolder, match="is no text classifier"):
        inspect_folder(base)


@pytest.mark.parametrize(
    ("change", "message"),
    [({"architectures": ["BertForQuestionAnswering"]}, "no text encoder"), ({"auto_map": {}}, "code of its own")],
)
def test_inspect_encoder_keeps_the_rules(tmp_path: Path, change: dict[str, object], message: str) -> None:
    base = write_model(tmp_path / "base", kind="")
    config = json.loads((base / "config.json").read_text())
    (base / "config.json").write_text(json.dumps(config | change))
    with pytest.raises(BadModelFolder, match=message):
        inspect_encoder(base)
