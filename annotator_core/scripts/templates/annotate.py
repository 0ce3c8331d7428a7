"""Votes on texts with a text classifier: the probabilities of its labels become those of the project's classes."""

import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

BATCH = 16


def annotate(
    texts: list[str], folder: str, targets: list[int], n_classes: int, max_length: int
) -> list[list[float] | None]:
    """Return for each text the probabilities of the classes, None where the model's top label means none of them."""
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    model = AutoModelForSequenceClassification.from_pretrained(
        folder, dtype=torch.float32, use_safetensors=True, local_files_only=True, trust_remote_code=False
    )
    model.eval()
    votes: list[list[float] | None] = []
    for low in range(0, len(texts), BATCH):
        part = texts[low : low + BATCH]
        batch = tokenizer(part, padding=True, truncation=True, max_length=max_length, return_tensors="pt")
        with torch.inference_mode():
            probs = torch.softmax(model(**batch).logits.double(), dim=1).tolist()
        votes += [vote(row, targets, n_classes) for row in probs]
    return votes


def vote(probs: list[float], targets: list[int], n_classes: int) -> list[float] | None:
    """Return the probabilities of the classes from probs, those of the model's labels; None to abstain."""
    if targets[probs.index(max(probs))] < 0:
        return None
    sums = [0.0] * n_classes
    for prob, target in zip(probs, targets, strict=True):
        if target >= 0:
            sums[target] += prob
    return [one / sum(sums) for one in sums]
