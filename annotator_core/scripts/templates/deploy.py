"""Loads a text classifier and returns a function that gives the probabilities of its labels."""

from collections.abc import Callable

import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

BATCH = 16


def deploy(folder: str) -> Callable[[list[str]], list[list[float]]]:
    """Return a function from texts to the probabilities of the model's labels."""
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    model = AutoModelForSequenceClassification.from_pretrained(
        folder, dtype=torch.float32, use_safetensors=True, local_files_only=True, trust_remote_code=False
    )
    model.eval()
    limit = min(tokenizer.model_max_length, model.config.max_position_embeddings - 2)

    def classify(texts: list[str]) -> list[list[float]]:
        probs: list[list[float]] = []
        for low in range(0, len(texts), BATCH):
            part = texts[low : low + BATCH]
            batch = tokenizer(part, padding=True, truncation=True, max_length=limit, return_tensors="pt")
            with torch.inference_mode():
                probs += torch.softmax(model(**batch).logits.double(), dim=1).tolist()
        return probs

    return classify
