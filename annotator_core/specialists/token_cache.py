"""Blocks of texts tokenised once for all specialists that share a tokenizer."""

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from threading import Lock
from typing import TYPE_CHECKING, Final

from annotator_core.specialists.folder import FolderCard
from annotator_core.specialists.tokens import TokenisedTexts

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

MAX_BYTES: Final = 32 << 20
"""What is kept at most: some windows of 16,384 tweets (2 to 4 MB each) for some tokenizers; chosen."""
_NO_TOKENIZER_FILES: Final = ("config.json", "README.md", "LICENSE")


def hash_tokenizer(tokenizer: "PreTrainedTokenizerBase", card: FolderCard) -> bytes:
    """Return what tokenizers share that give the same tokens: 32 bytes over all that decides them.

    A fast tokenizer is known by its whole content, whatever folder it came from; one written in Python by the bytes of
    its files. Ends any truncation or padding that the files set; every call sets its own.
    """
    digest = hashlib.sha256()
    digest.update(repr((type(tokenizer), tokenizer.model_input_names, tokenizer.truncation_side)).encode())
    if tokenizer.is_fast:
        backend = tokenizer.backend_tokenizer
        backend.no_truncation()
        backend.no_padding()
        digest.update(backend.to_str().encode())
        return digest.digest()
    for file in card.files:
        if file.name not in _NO_TOKENIZER_FILES and ".safetensors" not in file.name:
            digest.update(f"{file.name}\0{file.size_bytes}\0".encode())
            digest.update((card.path / file.name).read_bytes())
    return digest.digest()


def hash_block(tokenizer_hash: bytes, texts: Sequence[str], max_length: int) -> bytes:
    """Return the identity of a tokenised block: 32 bytes over the tokenizer, the cut and every text in order."""
    lengths = " ".join(str(len(text)) for text in texts)
    digest = hashlib.sha256(tokenizer_hash)
    digest.update(f"{max_length} {len(texts)} {lengths}\0".encode())
    digest.update("".join(texts).encode())
    return digest.digest()


class TokenCache:
    """Tokenised blocks by their identity, the last used ones up to a size. Safe for threads; holds no text."""

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        """Begin empty."""
        self._max_bytes = max_bytes
        self._blocks: OrderedDict[bytes, Future[TokenisedTexts]] = OrderedDict()
        self._lock = Lock()

    def get(self, key: bytes, make: Callable[[], TokenisedTexts]) -> TokenisedTexts:
        """Return the block of a key, made where it is not there; who asks meanwhile waits for the one who makes it.

        Raises what ``make`` raises, and keeps nothing then.
        """
        with self._lock:
            found = self._blocks.get(key)
            block = self._blocks.setdefault(key, Future())
            self._blocks.move_to_end(key)
        if found is None:
            self._make(key, block, make)
        return block.result()

    def _make(self, key: bytes, block: "Future[TokenisedTexts]", make: Callable[[], TokenisedTexts]) -> None:
        try:
            block.set_result(make())
        except BaseException as error:
            with self._lock:
                self._blocks.pop(key, None)
            block.set_exception(error)
            raise
        with self._lock:
            self._shrink()

    def _shrink(self) -> None:
        made = [(key, block.result().size_bytes) for key, block in self._blocks.items() if block.done()]
        total = sum(size for _, size in made)
        for key, size in made[:-1]:
            if total <= self._max_bytes:
                return
            total -= size
            del self._blocks[key]


SHARED: Final = TokenCache()
"""The cache of this process."""
