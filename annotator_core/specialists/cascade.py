"""The margin cascade: quick logits where they are clear, exact ones where the quick ones leave doubt.

Source: on 2,400 texts of a fine-tuned model, running the rows again in fp32 whose top-2 margin in bf16 is under twice
the largest difference that a sample shows gave the labels of fp32 on every row, for 2-3% of the rows (the project's
measurements).
"""

from collections.abc import Callable, Generator, Mapping
from functools import cached_property
from typing import Any, Final

import numpy as np

from annotator_core.arrays import BoolArray, FloatArray, IntArray
from annotator_core.specialists.runner import Outcome, Outcomes, Runner
from annotator_core.specialists.tokens import TokenisedTexts
from annotator_core.specialists.windows import Failed

SAMPLE_ROWS: Final = 256
"""How many rows run both ways before the threshold stands; chosen: seconds on a CPU, once a loaded model."""
SAFETY: Final = 2.0
"""The threshold over the largest difference seen; source: see above."""
MOST_DOUBT: Final = 0.5
"""The share of doubtful sample rows from which on everything is exact: the quick run would be wasted; chosen."""

FindMargins = Callable[[FloatArray], FloatArray]
"""From logits (n, labels) to how far (n,) each row is from another answer, NaN where it has none."""


class Cascade:
    """Two runners of one model, quick and exact, that answer as the exact one would. Not safe for two threads.

    threshold: the margin in logits under which a row runs again, infinite before any was compared. exact_rows: how many
    rows the exact runner has had.
    """

    def __init__(
        self, quick: Runner, load_exact: Callable[[], Runner], find_margins: FindMargins, seed: int = 0
    ) -> None:
        """Keep the quick runner; the exact one is loaded when its first row comes. seed: of the sample."""
        self._quick: Runner | None = quick
        self._load_exact = load_exact
        self._find_margins = find_margins
        self._random = np.random.default_rng(seed)
        self._margins = np.empty(0, np.float32)
        self.threshold = np.inf
        self.exact_rows = 0

    def to_state(self) -> dict[str, Any]:
        """Return what the rows so far have taught, as JSON values: the sample, the threshold, what is drawn next."""
        return {
            "margins": self._margins.tolist(),
            "threshold": self.threshold,
            "is_quick": self._quick is not None,
            "exact_rows": self.exact_rows,
            "random": self._random.bit_generator.state,
        }

    def take_state(self, state: Mapping[str, Any]) -> None:
        """Go on from what `to_state` gave: the same rows get the same answers as there."""
        self._margins = np.array(state["margins"], dtype=np.float32)
        self.threshold, self.exact_rows = float(state["threshold"]), int(state["exact_rows"])
        self._random.bit_generator.state = state["random"]
        if not state["is_quick"]:
            self._quick = None

    @cached_property
    def _exact(self) -> Runner:
        return self._load_exact()

    def run(self, tokens: TokenisedTexts, rows: IntArray) -> Outcomes:
        """Yield each of the rows (r,) once with its logits (b, labels) or as Failed, exact where in doubt.

        The first 256 rows, drawn at random from their window, run both ways. They set the threshold, which stays.
        """
        if self._quick is not None and len(self._margins) < SAMPLE_ROWS and len(rows):
            size = min(SAMPLE_ROWS - len(self._margins), len(rows))
            sample = np.sort(self._random.choice(rows, size, replace=False))
            yield from self._calibrate(self._quick, tokens, sample)
            rows = np.setdiff1d(rows, sample)
        if self._quick is not None:
            rows = yield from self._run_quick(self._quick, tokens, rows)
        if len(rows):
            yield from self._run_exact(tokens, rows)

    def _run_exact(self, tokens: TokenisedTexts, rows: IntArray) -> Outcomes:
        self.exact_rows += len(rows)
        yield from self._exact.run(tokens, rows)

    def _run_quick(self, quick: Runner, tokens: TokenisedTexts, rows: IntArray) -> Generator[Outcome, None, IntArray]:
        """Yield the rows beyond doubt, return the others."""
        doubtful = [rows[:0]]
        for batch, outcome in quick.run(tokens, rows):
            is_clear = self._is_clear(outcome) if not isinstance(outcome, Failed) else np.zeros(len(batch), np.bool_)
            doubtful.append(batch[~is_clear])
            if not isinstance(outcome, Failed) and is_clear.any():
                yield batch[is_clear], outcome[is_clear]
        return np.sort(np.concatenate(doubtful))

    def _is_clear(self, logits: FloatArray) -> BoolArray:
        # A margin that is no number is not beyond doubt either.
        return np.asarray(self._find_margins(logits) >= self.threshold)

    def _calibrate(self, quick: Runner, tokens: TokenisedTexts, sample: IntArray) -> Outcomes:
        rough, exact = (np.full((len(sample), quick.n_labels), np.nan, dtype=np.float32) for _ in range(2))
        for batch, outcome in quick.run(tokens, sample):
            if not isinstance(outcome, Failed):
                rough[np.searchsorted(sample, batch)] = outcome
        for batch, outcome in self._run_exact(tokens, sample):
            if not isinstance(outcome, Failed):
                exact[np.searchsorted(sample, batch)] = outcome
            yield batch, outcome
        self._compare(rough, exact)

    def _compare(self, rough: FloatArray, exact: FloatArray) -> None:
        """Set the threshold by a sample's logits (n, labels) of both runners; let the quick one go if it is no use."""
        differences = np.abs(rough - exact).max(axis=1)
        differences = differences[np.isfinite(differences)]
        self._margins = np.append(self._margins, self._find_margins(rough))
        if len(differences):
            least = SAFETY * float(differences.max())
            self.threshold = least if np.isinf(self.threshold) else max(self.threshold, least)
        if len(self._margins) >= SAMPLE_ROWS and np.mean(~(self._margins >= self.threshold)) >= MOST_DOUBT:
            self._quick = None
