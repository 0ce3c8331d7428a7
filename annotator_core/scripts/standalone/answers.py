"""Every specialist's votes on every text: logits become probabilities of the classes."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from annotator_core.scripts.standalone.folders import find_folder
from annotator_core.scripts.standalone.linear import predict_linear
from annotator_core.scripts.standalone.transformer import predict_transformer
from annotator_core.scripts.standalone.values import ABSTAIN, Ballots, Floats, Voter, find_flaw, has_voted


def ask_all(
    voters: Sequence[Voter], texts: Sequence[str], n_classes: int, *, models: Path | None, device: str, is_half: bool
) -> Ballots:
    """Return the votes of all specialists; equal texts are read once.

    is_half: probabilities are kept in half precision, as the site stores them; votes are those of full precision.
    """
    slots: dict[str, int] = {}
    places = np.array(
        [ABSTAIN if find_flaw(text) else slots.setdefault(text, len(slots)) for text in texts], dtype=np.int64
    )
    # The last row is that of texts which nobody can vote on.
    found = [_ask(voter, list(slots), n_classes, models, device)[places] for voter in voters]
    probs = np.stack(found, axis=1)
    votes = np.where(has_voted(probs), np.argmax(probs, axis=2), ABSTAIN).astype(np.int64)
    return Ballots(votes, probs.astype(np.float16).astype(np.float32) if is_half else probs)


def _ask(voter: Voter, texts: list[str], n_classes: int, models: Path | None, device: str) -> Floats:
    folder = find_folder(voter, models)
    if voter.backend == "linear":
        logits = predict_linear(voter, folder, texts)
    else:
        logits = predict_transformer(voter, folder, texts, device)
    nobody = np.full((1, len(voter.labels)), np.nan, dtype=np.float32)
    return map_probs(softmax(np.concatenate([logits, nobody])), voter.targets, n_classes)


def softmax(logits: Floats) -> Floats:
    """Return the softmax of each row of (n, labels), computed in float64: rows that are not finite become NaN."""
    raised = np.where(has_voted(logits)[:, None], logits, np.nan).astype(np.float64)
    powers = np.exp(raised - raised.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), dtype=np.float32)


def map_probs(label_probs: Floats, targets: Sequence[int], n_classes: int) -> Floats:
    """Return class probabilities (n, k), summed per class; a row whose top label means no class abstains."""
    meant = np.array(targets, dtype=np.int64)
    votes = has_voted(label_probs) & (meant[np.argmax(label_probs, axis=1)] != ABSTAIN)
    is_mapped = meant[:, None] == np.arange(n_classes)
    probs = np.where(votes[:, None], label_probs, 0.0).astype(np.float64) @ is_mapped
    probs[~votes] = np.nan
    return np.asarray(probs / probs.sum(axis=1, keepdims=True), dtype=np.float32)
