"""What the runtime changes about the answers, and what copies cost."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from annotator_core.specialists.cascade import Cascade
from annotator_core.specialists.folder import inspect_folder
from annotator_core.specialists.loading import load_classifier, load_tokenizer
from annotator_core.specialists.runner import Runner, Runtime
from annotator_core.specialists.tokens import TokenisedTexts, tokenise
from benchmarks.runtime_models import MAX_LENGTH, Bench, open_specialist


@dataclass(frozen=True, slots=True)
class Agreement:
    """Labels of bf16 against fp32 on n texts: shares 0 to 1 without and with the cascade, which reruns a share."""

    n: int
    plain: float
    cascade: float
    threshold: float
    rerun: float


def measure_agreement(bench: Bench, texts: list[str]) -> Agreement:
    """The agreement on a fine-tuned model; in emulation where the machine has no bf16."""
    exact = open_specialist(bench.fine_tuned, Runtime("fp32", bench.device)).predict(texts).probs.argmax(1)
    quick = open_specialist(bench.fine_tuned, Runtime("bf16", bench.device))
    found = quick.predict(texts).probs.argmax(1)
    assert isinstance(quick.engine, Cascade)
    card = inspect_folder(bench.fine_tuned)
    tokenizer = load_tokenizer(card)
    runner = Runner(load_classifier(card, "bf16", bench.device), tokenizer, len(card.labels))
    plain = _run(runner, tokenise(tokenizer, texts, MAX_LENGTH), len(card.labels)).argmax(1)
    return Agreement(
        n=len(texts),
        plain=float(np.mean(plain == exact)),
        cascade=float(np.mean(found == exact)),
        threshold=quick.engine.threshold,
        rerun=quick.engine.exact_rows / len(texts),
    )


def _run(runner: Runner, tokens: TokenisedTexts, n_labels: int) -> np.ndarray:
    logits = np.full((len(tokens.lengths), n_labels), np.nan, np.float32)
    for rows, outcome in runner.run(tokens, np.arange(len(tokens.lengths))):
        logits[rows] = outcome
    return logits


def measure_difference(bench: Bench, folder: Path, texts: list[str]) -> float:
    """The largest difference of a logit in fp32: sorted batches against the plain model, one text at a time."""
    import torch
    from transformers import AutoModelForSequenceClassification

    card = inspect_folder(folder)
    tokenizer = load_tokenizer(card)
    runner = Runner(load_classifier(card, "fp32", bench.device), tokenizer, len(card.labels))
    ours = _run(runner, tokenise(tokenizer, texts, MAX_LENGTH), len(card.labels))
    model = AutoModelForSequenceClassification.from_pretrained(folder, dtype=torch.float32).eval().to(bench.device)
    rows = []
    with torch.inference_mode():
        for text in texts:
            inputs = tokenizer(text, truncation=True, max_length=MAX_LENGTH, return_tensors="pt").to(bench.device)
            rows.append(model(**inputs).logits[0].cpu().numpy())
    return float(np.abs(np.array(rows) - ours).max())


def measure_duplicates(bench: Bench, texts: list[str]) -> list[float]:
    """Cost of a window with 30% copies over that of one without, by round; both hold the same lengths."""
    ordered = sorted(texts, key=len)
    copied = [ordered[at - 1] if at % 10 in {2, 5, 8} else text for at, text in enumerate(ordered)]
    specialist = open_specialist(bench.fine_tuned, Runtime("fp32", bench.device))
    specialist.predict(ordered[:100])
    costs = []
    for number in range(bench.rounds):
        # Another text at the end, so that no round finds its tokens in the cache.
        seconds = [bench.time(lambda t=t, n=number: specialist.predict([*t, f"{n}"])) for t in (copied, ordered)]
        costs.append(seconds[0] / seconds[1])
    return costs
