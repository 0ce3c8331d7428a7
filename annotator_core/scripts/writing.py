"""Where a script comes from: a template, or a language model that is told the contract."""

from pathlib import Path
from typing import Final

from annotator_core.meta.asking import LanguageModel
from annotator_core.scripts.check import FORBIDDEN_CALLS, IMPORTS, check_script
from annotator_core.scripts.kinds import CONTRACTS, Kind, write_signature
from annotator_core.specialists.folder import FolderCard

_TEMPLATES: Final = Path(__file__).with_name("templates")
_SYSTEM: Final = (
    "You write small, plain Python 3.11 scripts that use torch and transformers. Answer with one script in a ```python "
    "block and nothing else."
)
_REQUEST: Final = """\
Write a script that defines exactly this function:

{signature}

{duty}

The model: {facts}, at most {length} tokens a text. Load it with AutoTokenizer and AutoModelForSequenceClassification,
from the folder alone (local_files_only=True, use_safetensors=True, trust_remote_code=False), in float32 on the CPU.
Work in batches, under torch.inference_mode unless you train.
Import nothing but {imports}.
Do not use {calls}, names that begin with two underscores, or other files than those of the folders.
There is no network. Outside functions write only imports, constants and definitions.
This is request {number}.
"""


def write_template(kind: Kind) -> str:
    """Return the script of this kind that needs no language model; what the check says of it is nothing."""
    return (_TEMPLATES / f"{kind.value}.py").read_text(encoding="utf-8")


def write_request(kind: Kind, card: FolderCard, number: int = 1) -> str:
    """Return what a language model is told: the contract, the model's facts, and what the box allows.

    number: of the request. Stored answers are never asked for again, so that another try must say that it is one.
    """
    contract = CONTRACTS[kind]
    return _REQUEST.format(
        signature=write_signature(kind),
        duty=contract.duty,
        facts=f"architecture {card.architecture[:80]}, type {card.model_type[:80]}, {len(card.labels)} labels",
        length=card.max_length or 512,
        imports=", ".join(sorted(IMPORTS)),
        calls=", ".join(sorted(FORBIDDEN_CALLS)),
        number=number,
    )


def ask_for_script(model: LanguageModel, kind: Kind, card: FolderCard, number: int = 1) -> str:
    """Return a script as a language model wrote it; it is not checked yet. number: see `write_request`.

    An answer without Python is asked for once more. Raises as `LanguageModel.ask` does.
    """
    return model.ask(_SYSTEM, write_request(kind, card, number), lambda content: read_script(content, kind))


def read_script(content: str, kind: Kind) -> str:
    """Return the script that an answer holds, in a fence or not; raise ValueError where it holds none of this kind."""
    text = content.replace("\r\n", "\n").strip()
    if "```" in text:
        text = text.partition("```")[2].partition("\n")[2].partition("```")[0]
    if any(found.line == 0 or "no Python" in found.message for found in check_script(text, kind)):
        raise ValueError("the answer holds no script with the function that was asked for")
    return text.strip() + "\n"
