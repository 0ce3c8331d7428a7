"""Any safetensors AutoModelForSequenceClassification as a specialist, in fp32, on the CPU or the GPU.

Source: fast tokenizer in one call per window, equal texts once, length-sorted batches under a token budget,
inference_mode and SDPA run a base-size encoder 2.2-2.4 times as fast as the pipeline in data order (the project's
measurements); no export or compilation was faster.
"""

import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annotator_core.arrays import FloatArray, IntArray
from annotator_core.errors import BadInput, BadLabelMap, BadModelFolder, SpecialistCrashed
from annotator_core.specialists.contract import Identity, OnProgress, Prediction, ShouldStop, SpecialistSpec
from annotator_core.specialists.folder import FolderCard, inspect_folder
from annotator_core.specialists.mapping import explain_abstentions, map_probs, softmax
from annotator_core.specialists.tokens import TokenisedTexts, pad_batch, tokenise
from annotator_core.specialists.windows import Budget, Failed, Window, run_batches, split_windows

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

_CPU_TOKENS: Final = 2_048
_GPU_TOKENS: Final = 32_768
_DEFAULT_LENGTH: Final = 512
"""Where neither model nor tokenizer names a limit; chosen."""
_SHORTEST_LENGTH: Final = 8
"""Room for the special tokens and a few words; chosen."""


def load(spec: SpecialistSpec) -> "TorchSpecialist":
    """Return the specialist of a folder, loaded in fp32 without running any code of its own.

    Raises BadModelFolder when the folder is refused or does not load, BadLabelMap for a map of other labels, BadInput
    for a max_length under 8.
    """
    card = inspect_folder(spec.folder)
    if card.labels != spec.label_map.model_labels:
        raise BadLabelMap(f"The label map of {spec.identity.name} is for other labels than the model's.")
    tokenizer, model = _load_parts(card)
    return TorchSpecialist(spec, tokenizer, model, _choose_length(spec, card))


def _choose_length(spec: SpecialistSpec, card: FolderCard) -> int:
    limit = card.max_length or _DEFAULT_LENGTH
    if spec.max_length is None:
        return limit
    if spec.max_length < _SHORTEST_LENGTH:
        raise BadInput(f"Texts must have at least {_SHORTEST_LENGTH} tokens, not {spec.max_length}.")
    return min(limit, spec.max_length)


def _load_parts(card: FolderCard) -> tuple["PreTrainedTokenizerBase", "PreTrainedModel"]:
    import torch
    from safetensors import SafetensorError
    from transformers import AutoModelForSequenceClassification, AutoTokenizer
    from transformers.utils import logging

    logging.disable_progress_bar()
    safely = {"local_files_only": True, "trust_remote_code": False}
    try:
        tokenizer = AutoTokenizer.from_pretrained(card.path, **safely)
        model, loading = AutoModelForSequenceClassification.from_pretrained(
            card.path, dtype=torch.float32, use_safetensors=True, output_loading_info=True, **safely
        )
    except (OSError, ValueError, RuntimeError, KeyError, TypeError, ImportError, SafetensorError) as error:
        raise BadModelFolder(f"The model in {card.path} does not load: {_shorten(error)}") from error
    _check_complete(card, loading)
    return tokenizer, model.eval().to("cuda" if torch.cuda.is_available() else "cpu")


def _check_complete(card: FolderCard, loading: dict[str, Any]) -> None:
    missing = sorted({str(key) for kind in ("missing_keys", "mismatched_keys") for key in loading.get(kind, ())})
    if missing:
        raise BadModelFolder(
            f"The weights in {card.path} lack {missing[0]} ({len(missing)} in all), so its answers would be random: "
            "choose a model that was fine-tuned for classification."
        )


class TorchSpecialist:
    """A transformer that votes. Not safe for two threads at once."""

    def __init__(
        self, spec: SpecialistSpec, tokenizer: "PreTrainedTokenizerBase", model: "PreTrainedModel", max_length: int
    ) -> None:
        """Keep the loaded parts; use `load`."""
        self._spec = spec
        self._tokenizer = tokenizer
        self._model = model
        self._max_length = max_length
        self._budget = Budget(_pick_tokens(model, tokenizer))
        self._n_ids = model.get_input_embeddings().num_embeddings

    @property
    def identity(self) -> Identity:
        """Who votes."""
        return self._spec.identity

    def predict(
        self, texts: Sequence[str], *, on_progress: OnProgress | None = None, should_stop: ShouldStop | None = None
    ) -> Prediction:
        """Return one vote or abstention for each text; see `contract.Specialist`."""
        start = time.perf_counter()
        probs = np.full((len(texts), self._spec.n_classes), np.nan, dtype=np.float32)
        reasons: list[str | None] = []
        truncated = 0
        for window_texts in split_windows(texts):
            low, high = len(reasons), len(reasons) + len(window_texts)
            window = Window(window_texts, low, len(texts), on_progress, should_stop)
            probs[low:high], window_reasons, window_truncated = self._predict_window(window)
            reasons += window_reasons
            truncated += window_truncated
        return Prediction(probs, tuple(reasons), truncated, time.perf_counter() - start)

    def _predict_window(self, window: Window) -> tuple[FloatArray, list[str | None], int]:
        tokens = tokenise(self._tokenizer, window.usable, self._max_length) if window.usable else None
        logits = np.full((len(window.usable) + 1, len(self._spec.label_map.model_labels)), np.nan, dtype=np.float32)
        failures: dict[int, str] = {}
        for rows, outcome in self._run(tokens) if tokens else ():
            if isinstance(outcome, Failed):
                failures[int(rows[0])] = f"The model failed on this text: {outcome.reason}"
            else:
                logits[rows] = outcome
            window.report(rows)
        self._refuse_total_failure(failures, len(window.usable))
        label_probs = softmax(logits)
        probs = map_probs(label_probs, self._spec.label_map, self._spec.n_classes)
        reasons = explain_abstentions(label_probs, probs)
        for row, reason in failures.items():
            reasons[row] = reason
        truncated = int(tokens.is_truncated[window.slots[window.slots >= 0]].sum()) if tokens else 0
        return probs[window.slots], window.spread(reasons), truncated

    def _run(self, tokens: TokenisedTexts) -> Iterator[tuple[IntArray, FloatArray | Failed]]:
        return run_batches(lambda rows: self._forward(tokens, rows), tokens.lengths, self._budget)

    def _forward(self, tokens: TokenisedTexts, rows: IntArray) -> FloatArray | Failed:
        import torch

        batch = pad_batch(self._tokenizer, tokens, rows)
        if batch["input_ids"].max() >= self._n_ids:
            return Failed("the tokenizer knows words that the model does not.", is_memory=False)
        try:
            with torch.inference_mode():
                inputs = {name: torch.from_numpy(array).long().to(self._model.device) for name, array in batch.items()}
                return np.asarray(self._model(**inputs).logits.float().cpu().numpy(), dtype=np.float32)
        except (RuntimeError, IndexError, ValueError, MemoryError) as error:
            return Failed(_shorten(error), is_memory=_is_memory(error))

    def _refuse_total_failure(self, failures: dict[int, str], n_texts: int) -> None:
        if len(failures) == n_texts > 1:
            raise SpecialistCrashed(f"{self.identity.name} failed on every text. {failures[0]}")


def _pick_tokens(model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase") -> int:
    if tokenizer.pad_token_id is None:
        return 2  # A model without a padding token takes one text at a time.
    return _GPU_TOKENS if model.device.type == "cuda" else _CPU_TOKENS


def _is_memory(error: Exception) -> bool:
    import torch

    words = ("not enough memory", "can't allocate memory", "out of memory")
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or any(word in str(error) for word in words)


def _shorten(error: Exception) -> str:
    first = str(error).strip().partition("\n")[0]
    return f"{type(error).__name__}: {first[:300]}"
