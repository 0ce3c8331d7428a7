"""A language model that answers by a script, and model folders as the Hub has them."""

import json
import shutil
from collections.abc import Iterable
from pathlib import Path

from annotator_core.demo import specialist_folders
from annotator_core.errors import CallFailed
from annotator_core.meta.asking import LanguageModel
from annotator_core.verifiers.contract import Call, Completion, Failure, Plan, Price, Usage
from annotator_core.verifiers.ledger import MemoryLedger

DEMO = specialist_folders()
PRICE = Price(1.0, 1.0, 2.0)


class ScriptedAsker:
    """Gives one answer or failure after the other; keeps what it was asked."""

    identity = "http://scripted model"

    def __init__(self, answers: Iterable[object]) -> None:
        self.answers = list(answers)
        self.calls: list[Call] = []
        self.plans: list[Plan] = []

    def complete(self, call: Call, plan: Plan) -> Completion:
        self.calls.append(call)
        self.plans.append(plan)
        answer = self.answers.pop(0)
        if isinstance(answer, Failure):
            raise CallFailed(answer)
        content = answer if isinstance(answer, str) else json.dumps(answer)
        return Completion(content, "stop", Usage(10, 0, 5), "scripted", 0.1, cost_nano=20_000)


def make_language_model(*answers: object, cap_nano: int | None = None) -> LanguageModel:
    return LanguageModel(ScriptedAsker(answers), MemoryLedger(cap_nano), PRICE)


def make_folder(folder: Path, config: dict | None = None, *, card: str = "", drop: Iterable[str] = ()) -> Path:
    """A model's folder as far as it is read before it is fetched; the weights are no weights."""
    folder.mkdir(parents=True)
    default = {"architectures": ["BertForSequenceClassification"], "id2label": {"0": "negative", "1": "positive"}}
    files = {
        "config.json": json.dumps(default | (config or {})),
        "model.safetensors": "0" * 1_000,
        "tokenizer.json": "{}",
        "README.md": card,
        "modeling_evil.py": "raise SystemExit",
    }
    for name, content in files.items():
        if name not in drop:
            (folder / name).write_text(content)
    return folder


def copy_demo(name: str, folder: Path, card: str) -> Path:
    """One of the demo's real transformers under another card."""
    shutil.copytree(DEMO[name], folder)
    (folder / "README.md").write_text(card)
    return folder
