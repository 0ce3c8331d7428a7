"""The model store: content-addressed, whole or not at all."""

import subprocess
import sys
from pathlib import Path

import pytest

from annotator_core.errors import BadModelFolder, StorageError, StoreFull
from annotator_core.specialists.folder import hash_folder
from annotator_core.specialists.store import store_folder
from annotator_core.storage import report_storage


def test_store_copies_only_the_files_that_count(classifier: Path, tmp_path: Path) -> None:
    (classifier / "training_args.bin").write_bytes(b"pickle")
    (classifier / "evil.py").write_text("x")
    stored = store_folder(classifier, tmp_path / "store")
    assert stored.path == tmp_path / "store" / stored.hash
    assert stored.hash == hash_folder(classifier) == hash_folder(stored.path)
    assert {path.suffix for path in stored.path.iterdir()} == {".json", ".safetensors"}


def test_store_twice_is_once(classifier: Path, tmp_path: Path) -> None:
    assert store_folder(classifier, tmp_path / "store") == store_folder(classifier, tmp_path / "store")
    assert len(list((tmp_path / "store").iterdir())) == 1


def test_store_of_a_missing_folder_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(BadModelFolder):
        store_folder(tmp_path / "missing", tmp_path / "store")
    assert list((tmp_path / "store").iterdir()) == []


def test_store_where_nothing_can_be_written(classifier: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StorageError, match="check the path and its permissions"):
        store_folder(classifier, tmp_path / "file" / "store")


def test_store_a_file_in_the_place_of_the_model_is_an_error(classifier: Path, tmp_path: Path) -> None:
    (tmp_path / hash_folder(classifier)).write_text("x")
    with pytest.raises(StorageError, match="cannot be used"):
        store_folder(classifier, tmp_path)


STORE_UNDER_A_QUOTA = """
import resource, signal, sys
from pathlib import Path
from annotator_core.errors import StoreFull
from annotator_core.specialists.store import store_folder
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
try:
    store_folder(Path(sys.argv[1]), Path(sys.argv[2]))
except StoreFull as error:
    print(error.message)
"""


def test_store_on_a_full_disk_says_so_and_leaves_nothing_behind(classifier: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-c", STORE_UNDER_A_QUOTA, str(classifier), str(tmp_path / "store")]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "has no room left" in run.stdout
    assert list((tmp_path / "store").iterdir()) == []


def test_dev_full_is_a_full_disk() -> None:
    with pytest.raises(StoreFull, match="The file x has no room left"), report_storage("The file x"):
        Path("/dev/full").write_text("x")
