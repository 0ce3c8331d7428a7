"""The real endpoint of ``reproduce``: its flags, what asks it, and the file that remembers what it answered."""

import argparse
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from annotator_core.errors import BadInput
from annotator_core.storage import report_storage
from annotator_core.verifiers.contract import Asker, Ledger

_TIMEOUT_S: Final = 60.0
"""Of one request to a real LLM; chosen."""
_ASKED: Final = 250
"""As `reproduce.asking.ASKED`, which is not imported for a help text: scipy takes a second."""
_LEAST: Final = 50
"""Rows from which on an accuracy is worth a table; chosen: it is then known to 14 points."""


@dataclass(frozen=True, slots=True)
class Models:
    """Whom to ask: the address, the models' names there, the verifier first, and how many rows of a set."""

    url: str
    names: tuple[str, ...]
    key: str | None = field(repr=False)
    allow: tuple[str, ...]
    rows: int


def add_models(parser: argparse.ArgumentParser) -> None:
    """Add the flags of a real endpoint."""
    parser.add_argument("--endpoint", metavar="URL", help="of real LLMs, up to /v1; needs --model")
    parser.add_argument(
        "--model", action="append", default=[], metavar="NAME", help="a model there, the verifier first; repeat to vote"
    )
    parser.add_argument(
        "--asked", type=int, default=_ASKED, metavar="N", help=f"rows of a set to ask about (default: {_ASKED})"
    )
    parser.add_argument(
        "--endpoint-allow", action="append", default=[], metavar="HOST", help="allow this host's private address"
    )
    parser.add_argument("--key-file", type=Path, metavar="FILE", help="file that holds the endpoint's key")


def read_models(named: argparse.Namespace) -> Models | None:
    """Return what the arguments of `add_models` say, None for no endpoint; raises BadInput."""
    if (named.endpoint is None) is not (not named.model):
        raise BadInput("--endpoint and --model go together.")
    if named.endpoint is None:
        return None
    if len(set(named.model)) < len(named.model):
        raise BadInput("--model names a model twice: each has one voice.")
    if named.asked < _LEAST:
        raise BadInput(f"--asked must be at least {_LEAST}.")
    key, allow = _read_key(named.key_file), tuple(named.endpoint_allow)
    return Models(named.endpoint, tuple(named.model), key, allow, named.asked)


@contextmanager
def open_models(models: Models, kept: Path) -> Iterator[tuple[Mapping[str, Asker], Ledger]]:
    """Yield what asks each model, by its name, and the ledger of the folder `kept`: nothing in it is asked again.

    Raises AddressRefused, BadInput, CallFailed, StorageError, StoreFull.
    """
    from annotator_core.cli.answers import AnswerFile
    from annotator_core.cli.endpoints import prepare_endpoint
    from annotator_core.verifiers.client import Endpoint, OpenAIAsker
    from annotator_core.verifiers.contract import Price

    path = kept / "answers.jsonl"
    with report_storage(f"The folder {kept}"):
        kept.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        ledger = stack.enter_context(AnswerFile(path, None, is_kept=True))
        askers = {}
        for name in models.names:
            named = Endpoint(models.url, name, models.key, _TIMEOUT_S, Price(0.0, 0.0, 0.0))
            # The paper asks in words alone.
            found = prepare_endpoint(named, models.allow, ledger, is_words_only=True)
            askers[name] = stack.enter_context(OpenAIAsker(found, allow=models.allow))
        yield askers, ledger


def _read_key(path: Path | None) -> str | None:
    if path is None:
        return None
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path} cannot be read: {error}.") from error
