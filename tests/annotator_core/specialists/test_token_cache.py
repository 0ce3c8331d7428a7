"""Blocks tokenised once: by content, bounded, and safe for threads."""

import json
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from annotator_core.specialists.folder import inspect_folder
from annotator_core.specialists.loading import load_tokenizer
from annotator_core.specialists.token_cache import TokenCache, hash_block, hash_tokenizer
from annotator_core.specialists.tokens import TokenisedTexts


def _block(n_tokens: int = 1) -> TokenisedTexts:
    """8 bytes, 4 more for each token, and 9 for the length and the flag of the one text."""
    ids = np.zeros(n_tokens, np.int32)
    return TokenisedTexts({"input_ids": ids}, np.zeros(1, np.int64), np.array([n_tokens]), np.zeros(1, np.bool_), {})


def _hash(folder: Path) -> bytes:
    card = inspect_folder(folder)
    return hash_tokenizer(load_tokenizer(card), card)


def test_a_block_is_made_once() -> None:
    cache, made = TokenCache(), []
    blocks = [cache.get(key, lambda: made.append(1) or _block()) for key in (b"a", b"b", b"a")]
    assert (len(made), blocks[0] is blocks[2], blocks[0] is blocks[1]) == (2, True, False)


def test_the_least_recently_used_blocks_go_beyond_the_size() -> None:
    cache, made = TokenCache(max_bytes=2 * _block(100).size_bytes), []
    for key in (b"a", b"b", b"a", b"c", b"a", b"b"):
        cache.get(key, lambda key=key: made.append(key) or _block(100))
    assert made == [b"a", b"b", b"c", b"b"]


def test_a_block_larger_than_the_cache_is_kept_until_the_next() -> None:
    cache, made = TokenCache(max_bytes=1), []
    for key in (b"a", b"a", b"b", b"a"):
        cache.get(key, lambda key=key: made.append(key) or _block())
    assert made == [b"a", b"b", b"a"]


def test_threads_that_ask_at_once_wait_for_the_one_that_makes_it() -> None:
    cache, made, all_ask = TokenCache(), [], threading.Barrier(4)

    def ask(_number: int) -> TokenisedTexts:
        all_ask.wait(timeout=10)
        return cache.get(b"a", lambda: made.append(1) or _block())

    with ThreadPoolExecutor(4) as pool:
        blocks = list(pool.map(ask, range(4)))
    assert (len(made), len({id(block) for block in blocks})) == (1, 1)


def test_what_could_not_be_made_is_made_anew() -> None:
    cache = TokenCache()
    with pytest.raises(ZeroDivisionError):
        cache.get(b"a", lambda: 1 // 0)
    assert cache.get(b"a", _block).lengths.tolist() == [1]


def test_a_block_is_known_by_tokenizer_cut_and_every_text() -> None:
    base = hash_block(b"t", ["ab", "c"], 8)
    others = [(b"u", ["ab", "c"], 8), (b"t", ["ab", "c"], 9), (b"t", ["a", "bc"], 8), (b"t", ["c", "ab"], 8)]
    assert len({base, *(hash_block(*other) for other in others)}) == 5
    assert hash_block(b"t", ["ab", "c"], 8) == base


def test_fast_tokenizers_of_equal_content_are_one_whatever_their_folder(classifier: Path, tmp_path: Path) -> None:
    other = Path(shutil.copytree(classifier, tmp_path / "other"))
    (other / "README.md").write_text("another card")
    stored = json.loads((other / "tokenizer.json").read_text())
    cut = {"direction": "Right", "max_length": 9, "strategy": "LongestFirst", "stride": 0}
    (other / "tokenizer.json").write_text(json.dumps(stored | {"truncation": cut}))
    assert _hash(other) == _hash(classifier)
    words = stored["model"]["vocab"]
    words["good"], words["bad"] = words["bad"], words["good"]
    (other / "tokenizer.json").write_text(json.dumps(stored))
    assert _hash(other) != _hash(classifier)


def test_python_tokenizers_are_known_by_their_files(tmp_path: Path) -> None:
    from tests.annotator_core.specialists.test_torch_backend import make_bertweet

    one, two = (make_bertweet(tmp_path / name) for name in ("one", "two"))
    assert _hash(one) == _hash(two)
    (two / "vocab.txt").write_text((two / "vocab.txt").read_text() + "zz 1\n")
    assert _hash(one) != _hash(two)
