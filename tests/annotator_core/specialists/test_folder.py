"""Model folders: what is read from a good one, and why a bad one is refused."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotator_core.errors import BadModelFolder
from annotator_core.specialists.config import find_labels, find_max_length
from annotator_core.specialists.folder import hash_folder, inspect_folder, is_allowed


def _edit_config(folder: Path, **changes: object) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_inspect_reads_the_card(classifier: Path) -> None:
    (classifier / "README.md").write_text("---\nlanguage: en\nlicense: 'apache-2.0'\n---\n# Tiny\nlicense: no\n")
    card = inspect_folder(classifier)
    assert (card.backend, card.architecture, card.model_type) == ("torch", "BertForSequenceClassification", "bert")
    assert card.labels == ("negative", "neutral", "positive")
    assert (card.max_length, card.license) == (32, "apache-2.0")
    assert card.size_bytes == sum(path.stat().st_size for path in classifier.iterdir())


@pytest.mark.parametrize(
    "readme", ["", "# license: mit\n", "---\nlanguage: en\n---\n", "---\nlicense:\n---\n", "---\n"]
)
def test_inspect_readme_without_license_gives_none(classifier: Path, readme: str) -> None:
    (classifier / "README.md").write_text(readme)
    assert inspect_folder(classifier).license is None


def _remove(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


def _write(name: str, content: bytes | str) -> Callable[[Path], None]:
    return lambda folder: (
        (folder / name).write_bytes(content.encode() if isinstance(content, str) else content) and None
    )


def _config(**changes: object) -> Callable[[Path], None]:
    return lambda folder: _edit_config(folder, **changes)


def _only_pickle(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def _cut_weights(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-10])


def _link_out(folder: Path) -> None:
    outside = folder.parent / "secret.txt"
    outside.write_text("secret")
    (folder / "extra.txt").symlink_to(outside)


def _link_to_sibling(folder: Path) -> None:
    shutil.copytree(folder, f"{folder}-evil")
    (folder / "vocab.txt").unlink(missing_ok=True)
    (folder / "vocab.txt").symlink_to(Path(f"{folder}-evil") / "config.json")


def _foreign_shards(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    _write("model.safetensors.index.json", '{"weight_map": {"a": "../other.safetensors"}}')(folder)


def _missing_shard(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    _write("model.safetensors.index.json", '{"weight_map": {"a": "model-1.safetensors"}}')(folder)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (_remove("model.safetensors"), "has no weights: model.safetensors is missing"),
        (_remove("config.json"), "has no config.json"),
        (_remove("tokenizer.json"), "has no tokenizer"),
        (_only_pickle, "only as pytorch_model.bin, a format that can run code"),
        (_cut_weights, "model.safetensors is damaged or cut short"),
        (_write("model.safetensors", b""), "damaged or cut short"),
        (_write("model.safetensors", b"\x02\0\0\0\0\0\0\0[]"), "damaged or cut short"),
        (_write("model.safetensors", (10**6).to_bytes(8, "little") + b"{}"), "damaged or cut short"),
        (_write("config.json", "{"), "config.json is not readable as JSON"),
        (_write("config.json", "[]"), "must hold a JSON object"),
        (_write("config.json", "[" * 100_000), "not readable as JSON"),
        (_write("config.json", b"\xff\xfe"), "not readable as JSON"),
        (_write("config.json", " " * 16_000_001), "larger than 16000000 bytes"),
        (_config(architectures=["BertForMaskedLM"]), "no text classifier: its config names ['BertForMaskedLM']"),
        (_config(architectures=None), "no text classifier: its config names no architecture"),
        (_config(architectures=[7]), "no text classifier"),
        (_config(auto_map={"AutoModel": "evil.Model"}), "code of its own"),
        (_write("tokenizer_config.json", '{"auto_map": {}}'), "code of its own"),
        (_config(problem_type="multi_label_classification"), "made for multi_label_classification"),
        (_config(id2label={"0": "only"}), "has 1 labels"),
        (_config(id2label={"0": "a", "2": "b"}), "not numbered"),
        (_config(id2label={"x": "a"}), "not numbered"),
        (_config(id2label=["a", "b"]), "not numbered"),
        (_config(id2label={"0": "a", "1": 7}), "no plain text: 7"),
        (_config(id2label={"0": "a", "1": "b\0"}), "no plain text"),
        (_config(id2label={"0": "a", "1": "\ud800"}), "no plain text"),
        (_config(id2label={"0": "a", "1": "b" * 1001}), "no plain text"),
        (_config(id2label=None, num_labels=10**9), "has 10001 labels"),
        (_config(id2label=None, num_labels="x"), "has 0 labels"),
        (_link_out, "extra.txt is a link that leaves the folder"),
        (_link_to_sibling, "vocab.txt is a link that leaves the folder"),
        (_foreign_shards, "does not name its weights as files of the same folder"),
        (_missing_shard, "lacks the weights model-1.safetensors"),
        (_write("fake-specialist.json", '{"labels": ["a"]}'), "a fake specialist, which only tests may use"),
    ],
)
def test_inspect_refuses(classifier: Path, spoil: Callable[[Path], None], words: str) -> None:
    spoil(classifier)
    with pytest.raises(BadModelFolder) as caught:
        inspect_folder(classifier)
    assert words in caught.value.message


@pytest.mark.parametrize("name", ["missing", "file"])
def test_inspect_what_is_no_folder_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(BadModelFolder, match="no folder that can be read"):
        inspect_folder(tmp_path / name)


def test_inspect_a_link_inside_the_folder_is_fine(classifier: Path) -> None:
    (classifier / "copy.json").symlink_to("config.json")
    assert "copy.json" in {file.name for file in inspect_folder(classifier).files}


def test_inspect_labels_that_have_no_name_are_numbered(classifier: Path) -> None:
    _edit_config(classifier, id2label=None, num_labels=3)
    assert inspect_folder(classifier).labels == ("LABEL_0", "LABEL_1", "LABEL_2")


def test_inspect_labels_stand_in_the_order_of_their_ids() -> None:
    labels = {str(index): f"label {index}" for index in reversed(range(12))}
    assert find_labels({"id2label": labels}, Path("m")) == tuple(f"label {index}" for index in range(12))


def test_inspect_hostile_label_names_are_kept_as_they_are(classifier: Path) -> None:
    hostile = ("<script>alert(1)</script>", "'; DROP TABLE x; --", "=1+1", "../../etc/passwd", "مرحبا", "{{ 7*7 }}")
    _edit_config(classifier, id2label=dict(enumerate(hostile)))
    assert inspect_folder(classifier).labels == hostile


@pytest.mark.parametrize(
    ("config", "tokenizer", "expected"),
    [
        ({"max_position_embeddings": 512}, {}, 512),
        ({"max_position_embeddings": 514, "model_type": "roberta"}, {"model_max_length": 10**30}, 512),
        ({"max_position_embeddings": 130, "model_type": "roberta"}, {"model_max_length": 128}, 128),
        ({"max_position_embeddings": 512}, {"model_max_length": 128}, 128),
        ({"n_positions": 1024}, {}, 1024),
        ({}, {"model_max_length": 10**30}, None),
        ({"max_position_embeddings": "x"}, {"model_max_length": "y"}, None),
        ({"max_position_embeddings": -1}, {}, None),
    ],
)
def test_max_length_by_hand(config: dict, tokenizer: dict, expected: int | None) -> None:
    assert find_max_length(config, tokenizer) == expected


def test_inspect_fake_only_when_allowed(fake_folder: Callable[..., Path]) -> None:
    folder = fake_folder()
    assert inspect_folder(folder, allow_fake=True).backend == "fake"
    with pytest.raises(BadModelFolder, match="only tests may use"):
        inspect_folder(folder)


@pytest.mark.parametrize("labels", ["null", "[]", "[1]", '"ab"'])
def test_inspect_fake_without_labels_is_refused(tmp_path: Path, labels: str) -> None:
    (tmp_path / "fake-specialist.json").write_text(f'{{"labels": {labels}}}')
    with pytest.raises(BadModelFolder, match="needs a list of labels"):
        inspect_folder(tmp_path, allow_fake=True)


def test_hash_folder_changes_with_content_and_name_only(classifier: Path) -> None:
    first = hash_folder(classifier)
    os.utime(classifier / "config.json", (0, 0))
    (classifier / "training_args.bin").write_bytes(b"pickle")
    (classifier / "onnx").mkdir()
    assert hash_folder(classifier) == first
    assert len(first) == 64
    (classifier / "notes.txt").write_text("x")
    assert hash_folder(classifier) != first


def test_hash_folder_does_not_confuse_names_with_contents(tmp_path: Path) -> None:
    for name, files in (("one", {"a.txt": "bc"}), ("two", {"a.txt": "b", "c.txt": ""}), ("three", {"ab.txt": "c"})):
        (tmp_path / name).mkdir()
        for file, content in files.items():
            (tmp_path / name / file).write_text(content)
    assert len({hash_folder(tmp_path / name) for name in ("one", "two", "three")}) == 3


@pytest.mark.parametrize("name", ["../x.json", "a/b.txt", "x.py", "x.bin", "x.pkl", "x.json.py", "README.html", ".."])
def test_files_that_never_count(name: str) -> None:
    assert not is_allowed(name)


@given(st.binary(max_size=200))
def test_inspect_any_bytes_as_weights_are_refused_and_never_crash(tmp_path_factory, content: bytes) -> None:
    folder = tmp_path_factory.mktemp("model")
    (folder / "config.json").write_text('{"architectures": ["BertForSequenceClassification"]}')
    (folder / "vocab.txt").write_text("[UNK]")
    (folder / "model.safetensors").write_bytes(content)
    with pytest.raises(BadModelFolder):
        inspect_folder(folder)
