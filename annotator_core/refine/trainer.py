"""Fine-tunes a transformer classifier on labeled texts: one plain loop, repeatable to the bit on a CPU."""

import os
import random
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from annotator_core.errors import BadInput
from annotator_core.refine.batches import group_by_length

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

WARM_UP_SHARE = 0.1
"""Share of the steps in which the learning rate rises to its value; then it falls linearly to 0. Chosen."""

CLIP_NORM = 1.0


@dataclass(frozen=True, slots=True)
class Step:
    """One optimiser step: number from 1, number of all steps, loss in nats before the step."""

    number: int
    of: int
    loss: float


@dataclass(frozen=True, slots=True)
class FineTuned:
    """What a fine-tuning gave: the folder written, and the mean loss in nats of each epoch."""

    folder: Path
    epoch_losses: tuple[float, ...]
    steps: int


def fine_tune(  # noqa: PLR0913 - every figure of the paper's fine-tuning by its name, keyword-only
    folder: Path,
    texts: Sequence[str],
    labels: Sequence[int],
    out_folder: Path,
    *,
    epochs: int = 3,
    learning_rate: float = 2e-5,
    batch_size: int = 16,
    max_length: int = 128,
    seed: int = 0,
    weight_decay: float = 0.01,
    on_step: Callable[[Step], None] | None = None,
) -> FineTuned:
    """The model of `folder` fine-tuned on (text, model label id) pairs, written to `out_folder`, which must not exist.

    Cross-entropy, AdamW, warm-up and linear decay, batches grouped by length, fp32, gradients clipped to norm 1. The
    same seed on the same CPU with the same number of threads gives the same weights to the bit. `folder` is only read;
    `out_folder` appears whole or not at all. `on_step` is called after each step and may raise to stop.

    Raises: BadInput where texts and labels differ in number, a label id is unknown to the model, there is nothing to
    learn from, or `out_folder` exists. Source: the paper's eq. 6-7 and its hyperparameters (engine.md 1).
    """
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    torch.manual_seed(seed)
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    model = AutoModelForSequenceClassification.from_pretrained(
        folder, local_files_only=True, use_safetensors=True, dtype=torch.float32
    )
    check_examples(texts, labels, out_folder, model.config.num_labels)
    plan = TrainingPlan(epochs, learning_rate, batch_size, seed, weight_decay)
    token_ids = tokenizer(list(texts), truncation=True, max_length=max_length)["input_ids"]
    examples = list(zip(token_ids, labels, strict=True))
    losses, steps = run_epochs(model, examples, plan, tokenizer.pad, on_step)
    save_beside(model, tokenizer, out_folder)
    return FineTuned(out_folder, losses, steps)


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """The figures of one fine-tuning."""

    epochs: int
    learning_rate: float
    batch_size: int
    seed: int
    weight_decay: float


def check_examples(texts: Sequence[str], labels: Sequence[int], out_folder: Path, class_count: int) -> None:
    """Raises BadInput unless there is something to learn from and a place to write it to."""
    if len(texts) != len(labels):
        raise BadInput(f"{len(texts)} texts came with {len(labels)} labels; each text needs one.")
    if not texts:
        raise BadInput("There is no labeled text to fine-tune on.")
    unknown = sorted({label for label in labels if not 0 <= label < class_count})
    if unknown:
        raise BadInput(f"The model has label ids 0 to {class_count - 1}, not {unknown[0]}.")
    if out_folder.exists():
        raise BadInput(f"{out_folder} exists already; a version of a model is never overwritten.")


def run_epochs(
    model: "torch.nn.Module",
    examples: Sequence[tuple[list[int], int]],
    plan: TrainingPlan,
    pad: Callable[..., Any],
    on_step: Callable[[Step], None] | None,
) -> tuple[tuple[float, ...], int]:
    """(mean loss of each epoch, number of steps); the model's weights change in place."""
    lengths = [len(token_ids) for token_ids, _ in examples]
    step_count = plan.epochs * -(-len(examples) // plan.batch_size)
    optimizer, schedule = make_optimizer(model, plan, step_count)
    rng = random.Random(plan.seed)  # noqa: S311 - not for secrets
    model.train()
    losses: list[float] = []
    for _ in range(plan.epochs):
        for batch in group_by_length(lengths, plan.batch_size, rng):
            losses.append(take_step(model, [examples[index] for index in batch], pad, optimizer))
            schedule.step()
            if on_step:
                on_step(Step(len(losses), step_count, losses[-1]))
    model.eval()
    per_epoch = step_count // plan.epochs if plan.epochs else 1
    means = [sum(losses[at : at + per_epoch]) / per_epoch for at in range(0, len(losses), per_epoch)]
    return tuple(means), len(losses)


def make_optimizer(model: "torch.nn.Module", plan: TrainingPlan, step_count: int) -> tuple[Any, Any]:
    """(AdamW that spares biases and layer norms from weight decay, its schedule of warm-up and linear decay)."""
    import torch

    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    groups = [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": plan.weight_decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=plan.learning_rate)
    warm_up = max(1, round(WARM_UP_SHARE * step_count))

    def rate(step: int) -> float:
        return min((step + 1) / warm_up, (step_count - step) / max(1, step_count - warm_up))

    return optimizer, torch.optim.lr_scheduler.LambdaLR(optimizer, rate)


def take_step(
    model: "torch.nn.Module",
    batch: Sequence[tuple[list[int], int]],
    pad: Callable[..., Any],
    optimizer: "torch.optim.Optimizer",
) -> float:
    """The batch's loss in nats before its step."""
    import torch

    inputs = pad({"input_ids": [token_ids for token_ids, _ in batch]}, return_tensors="pt")
    logits = model(input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"]).logits
    loss = torch.nn.functional.cross_entropy(logits, torch.tensor([label for _, label in batch]))
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP_NORM)
    optimizer.step()
    return float(loss.detach())


def save_beside(model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase", out_folder: Path) -> None:
    """Writes safetensors and tokenizer into a folder beside `out_folder`, then renames it: whole or not at all."""
    out_folder.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(prefix=f".{out_folder.name}-", dir=out_folder.parent))
    tokenizer.init_kwargs.pop("local_files_only", None)
    try:
        model.save_pretrained(beside)
        tokenizer.save_pretrained(beside)
        open_to_readers(beside)
        os.rename(beside, out_folder)  # noqa: PTH104 - unlike Path.replace it says that it never merges
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def open_to_readers(folder: Path) -> None:
    """Lets everyone read the folder's files: temporary folders and safetensors' own files are the owner's alone."""
    folder.chmod(0o755)
    for path in folder.iterdir():
        path.chmod(0o644)
