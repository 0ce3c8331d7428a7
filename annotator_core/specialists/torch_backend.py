"""Any safetensors AutoModelForSequenceClassification as a specialist, on the CPU or the GPU.

Source: fast tokenizer in one call per window, equal texts once, length-sorted batches under a token budget,
inference_mode and SDPA run a base-size encoder in fp32 twice as fast as the pipeline in data order, bf16 weights where
the hardware has them nine times (the project's measurements); no export or compilation was faster.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np

from annotator_core.arrays import FloatArray, IntArray
from annotator_core.errors import BadInput, BadLabelMap, SpecialistCrashed
from annotator_core.precision import VotingPrecision, pick_voting_precision
from annotator_core.specialists.cascade import Cascade
from annotator_core.specialists.contract import Identity, OnProgress, Prediction, ShouldStop, SpecialistSpec
from annotator_core.specialists.folder import FolderCard, inspect_folder
from annotator_core.specialists.loading import load_classifier, load_tokenizer
from annotator_core.specialists.mapping import explain_abstentions, find_margins, map_probs, softmax
from annotator_core.specialists.runner import Outcomes, Runner, Runtime
from annotator_core.specialists.token_cache import SHARED, TokenCache, hash_block, hash_tokenizer
from annotator_core.specialists.tokens import NO_TOKENS, TokenisedTexts, tokenise
from annotator_core.specialists.windows import Failed, Window, look_ahead, split_windows

_DEFAULT_LENGTH: Final = 512
"""Where neither model nor tokenizer names a limit; chosen."""
_SHORTEST_LENGTH: Final = 8
"""Room for the special tokens and a few words; chosen."""


class Engine(Protocol):
    """What turns tokens into logits: a `Runner`, or a `Cascade` of two."""

    def run(self, tokens: TokenisedTexts, rows: IntArray) -> Outcomes:
        """Yield each of the rows (r,) once with its logits (b, labels) or as Failed."""
        ...


def load(spec: SpecialistSpec, runtime: Runtime | None = None, cache: TokenCache = SHARED) -> "TorchSpecialist":
    """Return the specialist of a folder, loaded without running any code of its own.

    cache: of tokenised texts, shared by all specialists of the process.
    Raises BadModelFolder when the folder is refused or does not load, BadLabelMap for a map of other labels, BadInput
    for a max_length under 8.
    """
    card = inspect_folder(spec.folder)
    if card.labels != spec.label_map.model_labels:
        raise BadLabelMap(f"The label map of {spec.identity.name} is for other labels than the model's.")
    length = choose_length(spec, card)
    runtime = runtime or Runtime()
    device = runtime.device or _find_device()
    tokenizer = load_tokenizer(card)
    block_hash = partial(hash_block, hash_tokenizer(tokenizer, card), max_length=length)

    def load_runner(precision: VotingPrecision) -> Runner:
        return Runner(load_classifier(card, precision, device), tokenizer, len(card.labels), runtime.tokens)

    precision = runtime.precision or spec.precision or pick_voting_precision(spec.folder, device)
    runner = load_runner(precision)
    margins = partial(find_margins, label_map=spec.label_map, n_classes=spec.n_classes)
    engine = runner if precision == "fp32" else Cascade(runner, lambda: load_runner("fp32"), margins)
    reads_ahead = device != "cpu" if runtime.reads_ahead is None else runtime.reads_ahead
    return TorchSpecialist(
        spec,
        engine,
        lambda texts: cache.get(block_hash(texts), lambda: tokenise(tokenizer, texts, length)),
        reads_ahead=reads_ahead,
    )


def pick_precision(folder: Path) -> VotingPrecision:
    """Return what `load` takes for the model of a folder where nobody says; raises BadModelFolder."""
    return pick_voting_precision(folder, _find_device())


def _find_device() -> str:
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def choose_length(spec: SpecialistSpec, card: FolderCard) -> int:
    """Return at how many tokens, special ones included, a text is cut; raises BadInput for a max_length under 8."""
    limit = card.max_length or _DEFAULT_LENGTH
    if spec.max_length is None:
        return limit
    if spec.max_length < _SHORTEST_LENGTH:
        raise BadInput(f"Texts must have at least {_SHORTEST_LENGTH} tokens, not {spec.max_length}.")
    return min(limit, spec.max_length)


class TorchSpecialist:
    """A transformer that votes; engine is what turns its tokens into logits. Not safe for two threads at once."""

    def __init__(
        self,
        spec: SpecialistSpec,
        engine: Engine,
        tokenise_block: Callable[[Sequence[str]], TokenisedTexts],
        *,
        reads_ahead: bool = False,
    ) -> None:
        """Keep the loaded parts; use `load`."""
        self._spec = spec
        self.engine = engine
        self._tokenise = tokenise_block
        self._reads_ahead = reads_ahead

    @property
    def identity(self) -> Identity:
        """Who votes."""
        return self._spec.identity

    def to_state(self) -> Mapping[str, Any]:
        """Return what the cascade has learned so far; see `contract.Continued`."""
        return self.engine.to_state() if isinstance(self.engine, Cascade) else {}

    def take_state(self, state: Mapping[str, Any]) -> None:
        """Go on where another one stopped, of the same folder and precision; see `contract.Continued`."""
        if isinstance(self.engine, Cascade) and state:
            self.engine.take_state(state)

    def predict(
        self, texts: Sequence[str], *, on_progress: OnProgress | None = None, should_stop: ShouldStop | None = None
    ) -> Prediction:
        """Return one vote or abstention for each text; see `contract.Specialist`.

        Raises SpecialistCrashed where the model fails on every text, PredictionStopped where should_stop says so.
        """
        start = time.perf_counter()
        probs = np.full((len(texts), self._spec.n_classes), np.nan, dtype=np.float32)
        reasons: list[str | None] = []
        truncated = 0
        for window, tokens in self._tokenise_all(_open_windows(texts, on_progress, should_stop)):
            low, high = len(reasons), len(reasons) + len(window.slots)
            probs[low:high], window_reasons = self._predict_window(window, tokens)
            reasons += window_reasons
            truncated += int(tokens.is_truncated[window.slots[window.slots >= 0]].sum())
        return Prediction(probs, tuple(reasons), truncated, time.perf_counter() - start)

    def _tokenise_all(self, windows: Iterator[Window]) -> Iterator[tuple[Window, TokenisedTexts]]:
        def make(window: Window) -> TokenisedTexts:
            return self._tokenise(window.usable)

        return look_ahead(windows, make) if self._reads_ahead else ((window, make(window)) for window in windows)

    def _predict_window(self, window: Window, tokens: TokenisedTexts) -> tuple[FloatArray, list[str | None]]:
        # The last row is that of texts which nobody can vote on.
        logits = np.full((len(window.usable) + 1, len(self._spec.label_map.model_labels)), np.nan, dtype=np.float32)
        failures = dict(tokens.failures)
        lost = np.array(sorted(failures), dtype=np.int64)
        rows = np.setdiff1d(np.arange(len(window.usable)), lost)
        window.report(lost)
        for batch, outcome in self.engine.run(tokens, rows):
            if isinstance(outcome, Failed):
                failures[int(batch[0])] = f"The model failed on this text: {outcome.reason}"
            else:
                logits[batch] = outcome
            window.report(batch)
        if len(failures) == len(window.usable) > 1:
            self._refuse_total_failure(failures)
        label_probs = softmax(logits)
        probs = map_probs(label_probs, self._spec.label_map, self._spec.n_classes)
        reasons = explain_abstentions(label_probs, probs)
        for row, reason in failures.items():
            reasons[row] = reason
        return probs[window.slots], window.spread(reasons)

    def _refuse_total_failure(self, failures: dict[int, str]) -> None:
        # Texts without a token say nothing about the model.
        named = [reason for reason in failures.values() if reason != NO_TOKENS]
        if named:
            raise SpecialistCrashed(f"{self.identity.name} failed on every text. {named[0]}")


def _open_windows(
    texts: Sequence[str], on_progress: OnProgress | None, should_stop: ShouldStop | None
) -> Iterator[Window]:
    low = 0
    for window_texts in split_windows(texts):
        yield Window(window_texts, low, len(texts), on_progress, should_stop)
        low += len(window_texts)
