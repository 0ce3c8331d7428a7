"""Measures the demo's specialists on its feedback with plain transformers: `python -m annotator_core.demo.evaluate`."""

import csv
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from annotator_core.demo import CLASSES, feedback_path, label_maps, specialist_folders

BATCH = 64


@dataclass(frozen=True, slots=True)
class Report:
    """Shares in [0, 1] over the feedback's rows; a row is hard where not all specialists agree.

    A row without a majority counts as wrong. `recall` is by specialist and class.
    """

    rows: int
    accuracy: dict[str, float]
    recall: dict[str, dict[str, float]]
    majority: float
    hard: float
    agreed_right: float
    hard_right: float


def predict_classes(folder: Path, texts: Sequence[str], label_map: dict[str, str]) -> list[str]:
    """The class of each text by the model in `folder`, batches of 64 in the order given."""
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    model = AutoModelForSequenceClassification.from_pretrained(folder, local_files_only=True, use_safetensors=True)
    answers: list[str] = []
    for start in range(0, len(texts), BATCH):
        inputs = tokenizer(list(texts[start : start + BATCH]), padding=True, truncation=True, return_tensors="pt")
        with torch.inference_mode():
            best = model(**inputs).logits.argmax(-1).tolist()
        answers += [label_map[model.config.id2label[index]] for index in best]
    return answers


def share_right(answers: Sequence[str], gold: Sequence[str]) -> float:
    """The share of answers that equal the gold label, 0 where there is none."""
    return sum(answer == label for answer, label in zip(answers, gold, strict=True)) / max(1, len(gold))


def majority_of(votes: Sequence[str]) -> str:
    """The class with most votes, or nothing where all differ."""
    name, count = Counter(votes).most_common(1)[0]
    return name if count > len(votes) / 2 else ""


def recall_by_class(answers: Sequence[str], gold: Sequence[str]) -> dict[str, float]:
    """The share of each class's rows that got it."""
    of_class = {
        name: [answer for answer, label in zip(answers, gold, strict=True) if label == name] for name in CLASSES
    }
    return {name: share_right(found, [name] * len(found)) for name, found in of_class.items()}


def evaluate(folders: dict[str, Path]) -> Report:
    """The specialists' figures, one by one and together, on feedback.csv."""
    with feedback_path().open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    texts, gold = [row["text"] for row in rows], [row["gold"] for row in rows]
    answers = {name: predict_classes(folder, texts, label_maps()[name]) for name, folder in folders.items()}
    votes = list(zip(*answers.values(), strict=True))
    majority = [majority_of(row) for row in votes]
    hard = [index for index, row in enumerate(votes) if len(set(row)) > 1]
    agreed = sorted(set(range(len(votes))) - set(hard))
    return Report(
        rows=len(rows),
        accuracy={name: share_right(found, gold) for name, found in answers.items()},
        recall={name: recall_by_class(found, gold) for name, found in answers.items()},
        majority=share_right(majority, gold),
        hard=len(hard) / len(rows),
        agreed_right=share_right([majority[i] for i in agreed], [gold[i] for i in agreed]),
        hard_right=share_right([majority[i] for i in hard], [gold[i] for i in hard]),
    )


def format_table(report: Report, classes: Sequence[str]) -> str:
    """The report as a Markdown table."""
    lines = [f"| | accuracy | {' | '.join(classes)} |", "|---|---|" + "---|" * len(classes)]
    for name, accuracy in report.accuracy.items():
        recalls = " | ".join(f"{report.recall[name][label]:.3f}" for label in classes)
        lines.append(f"| {name} | {accuracy:.3f} | {recalls} |")
    lines.append(f"| majority | {report.majority:.3f} |" + " |" * len(classes))
    lines.append("")
    lines.append(
        f"{report.rows} rows; {report.hard:.1%} hard (not all three agree); the majority is right on "
        f"{report.agreed_right:.1%} of the agreed rows and {report.hard_right:.1%} of the hard ones."
    )
    return "\n".join(lines)


if __name__ == "__main__":
    print(format_table(evaluate(specialist_folders()), CLASSES))
