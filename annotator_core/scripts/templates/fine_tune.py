"""Trains a text classifier on labeled texts and saves it."""

import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

EPOCHS = 3
BATCH = 16
MAX_LENGTH = 128
LEARNING_RATE = 2e-5
WEIGHT_DECAY = 0.01


def fine_tune(folder: str, texts: list[str], labels: list[int], out_folder: str) -> None:
    """Train by cross-entropy, batches in an order drawn with a fixed seed; model and tokenizer go into out_folder."""
    torch.manual_seed(0)
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    model = AutoModelForSequenceClassification.from_pretrained(
        folder, dtype=torch.float32, use_safetensors=True, local_files_only=True, trust_remote_code=False
    )
    optimizer = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    model.train()
    for _epoch in range(EPOCHS):
        order = torch.randperm(len(texts)).tolist()
        for low in range(0, len(order), BATCH):
            rows = order[low : low + BATCH]
            batch = tokenizer(
                [texts[row] for row in rows], padding=True, truncation=True, max_length=MAX_LENGTH, return_tensors="pt"
            )
            loss = model(**batch, labels=torch.tensor([labels[row] for row in rows])).loss
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad()
    model.save_pretrained(out_folder, safe_serialization=True)
    tokenizer.save_pretrained(out_folder)
