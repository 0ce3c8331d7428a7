"""What a command needs to ask a language model: its endpoint and what that can do, examples, a file of answers."""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

from annotator_core.cli.answers import AnswerFile
from annotator_core.cli.outputs import is_direct, name_answers
from annotator_core.cli.tables import open_table, read_rows
from annotator_core.cli.verifier import EXAMPLE_LABEL, VerifierOptions
from annotator_core.cli.verifying import ExamplePool, Verification
from annotator_core.errors import BadInput, BudgetReached
from annotator_core.texts import find_flaw, hash_text
from annotator_core.verifiers.capability import Capability, probe
from annotator_core.verifiers.client import Endpoint, OpenAIAsker
from annotator_core.verifiers.contract import Message
from annotator_core.verifiers.money import worst_nano
from annotator_core.verifiers.prompts import version

_TIMEOUT_S: Final = 120.0
"""Of one request; chosen: local models may take a minute for a chain of thought."""
_PROBES: Final = 8
_PROBE: Final = (Message("user", "?" * 256),)
_PROBE_TOKENS: Final = 256
"""More than `capability.probe` sends: requests, bytes of each, tokens of an answer."""


@contextmanager
def open_verification(
    options: VerifierOptions, out: Path, excluded: frozenset[str], *, is_anew: bool = False
) -> Iterator[Verification]:
    """Yield what asks; the answers stand in the file of the options, else beside the output until that is finished.

    excluded: hashes of texts that may be no examples. is_anew: answers beside the output are forgotten. Raises
    BadInput, AddressRefused, BudgetReached, CallFailed, StorageError.
    """
    pool = _read_examples(options, excluded)
    beside = None if is_direct(out) else name_answers(out)
    path = options.answers or beside
    with ExitStack() as stack:
        is_kept = options.answers is not None
        answers = AnswerFile(path, options.cap_nano, is_kept=is_kept, is_anew=is_anew and not is_kept)
        ledger = stack.enter_context(answers)
        askers = [stack.enter_context(_open_asker(options, model, ledger)) for model in options.models]
        yield Verification(options, askers, ledger, pool)


def identify(options: VerifierOptions) -> dict[str, object]:
    """Return what makes two commands ask and use the same: JSON values, without key, price, cap and pace."""
    return {
        "url": options.url,
        "models": options.models,
        "prompt": version(options.plan),
        "votes shown": options.plan.shows_votes,
        "examples": None if options.examples is None else hashlib.sha256(options.examples.read_bytes()).hexdigest(),
        "sure from": options.sure_from,
        "fused": options.is_fused,
    }


def prepare_endpoint(
    endpoint: Endpoint, allow: Sequence[str], ledger: AnswerFile, *, is_words_only: bool = False
) -> Endpoint:
    """Return the endpoint with what it can do: found by a few small requests, once for a file of answers.

    allow: hosts with a private address that may be asked. is_words_only: no form of an answer is forced, and no
    log-probabilities are asked for. Raises AddressRefused, BudgetReached, CallFailed, StorageError.
    """
    name = f"{endpoint.base_url} {endpoint.model}"
    if name not in ledger.states:
        worst = _PROBES * worst_nano(_PROBE, _PROBE_TOKENS, endpoint.price)
        if not ledger.reserve_probe(name, worst):
            raise BudgetReached("The cap leaves no room to find out what the endpoint can do: raise it.")
        ledger.keep_probe(name, probe(endpoint, allow))
    capability = Capability.from_state(ledger.states[name])
    if is_words_only:
        capability = replace(capability, schema="text", has_logprobs=False)
    return replace(endpoint, capability=capability)


def _open_asker(options: VerifierOptions, model: str, ledger: AnswerFile) -> OpenAIAsker:
    endpoint = Endpoint(options.url, model, options.key, _TIMEOUT_S, options.price)
    return OpenAIAsker(prepare_endpoint(endpoint, options.allow, ledger), allow=options.allow)


def _read_examples(options: VerifierOptions, excluded: frozenset[str]) -> ExamplePool:
    if options.examples is None:
        return ExamplePool()
    table = open_table(options.examples, options.text_column)
    if EXAMPLE_LABEL not in table.columns:
        raise BadInput(f"{table.name} has no column {EXAMPLE_LABEL!r}: it names each example's class.")
    rows = [(str(row[options.text_column] or ""), row.get(EXAMPLE_LABEL)) for row in read_rows(table)]
    kept = [(text, str(label)) for text, label in rows if find_flaw(text) is None]
    strange = next((label for _text, label in kept if label not in options.plan.classes), None)
    if strange is not None:
        raise BadInput(f"{table.name}: {strange!r} is none of the classes {', '.join(options.plan.classes)}.")
    hashes = tuple(hash_text(text) for text, _label in kept)
    if not set(hashes) - excluded:
        raise BadInput(f"{table.name} holds no example beside answered rows, which may not stand as examples.")
    return ExamplePool(tuple(text for text, _label in kept), tuple(label for _text, label in kept), hashes, excluded)
