"""What language models did in a run and what it cost, as a manifest tells it: no key, no secret of an address."""

from typing import Any
from urllib.parse import urlsplit

from annotator_core.verifiers.contract import NANO, Strategy
from annotator_core.verifiers.prompts import ANSWER_TOKENS
from labeling.labels.models import VerifierAnswer
from labeling.llm.engine import temperature_of
from labeling.llm.models import Connection
from labeling.llm.queries import budget_of, calls_of_run
from labeling.runs.models import EXAMPLES, AskStrategy, Mode, Run
from labeling.runs.policies import CONFIDENT_FROM, MOST_EXAMPLES


def build_verification(run: Run) -> dict[str, Any] | None:
    """How the run asks, whom, with which prompts, and what it cost; None where people alone verify."""
    if not run.has_verifier:
        return None
    figures = ("mode", "answer_use", "ask_strategy", "shows_votes", "draws", "sure_from")
    verifiers = run.verifiers.select_related("connection").prefetch_related("connection__prices")
    versions = VerifierAnswer.objects.filter(run=run).order_by().values_list("prompt_version", flat=True).distinct()
    return (
        {name: getattr(run, name) for name in figures}
        | _fixed(run)
        | {
            "connections": [_connection(one.connection) for one in verifiers],
            "prompt_versions": sorted(versions),
            "rows": {name: getattr(run, name) for name in ("asking", "verified")},
            "costs": _costs(run),
        }
    )


def _fixed(run: Run) -> dict[str, Any]:
    """Figures that no form asks for: the same for all runs of this version; None where the run makes no use of one."""
    shown = EXAMPLES.get(AskStrategy(run.ask_strategy), 0)
    return {
        "temperature": temperature_of(run.draws),
        "answer_tokens": ANSWER_TOKENS[Strategy(run.ask_strategy)],
        "examples": shown,
        "examples_among": MOST_EXAMPLES if shown else None,
        "pool_sure_from": CONFIDENT_FROM if run.mode == Mode.LLM_THEN_HUMAN else None,
    }


def _connection(connection: Connection) -> dict[str, Any]:
    prices = ("input_usd", "cached_usd", "output_usd")
    return {
        "name": connection.name,
        "address": _address(connection.base_url),
        "model": connection.model,
        "prices_per_million": [
            {"from": price.valid_from.isoformat()} | {name: str(getattr(price, name)) for name in prices}
            for price in connection.prices.all()
        ],
    }


def _address(url: str) -> str:
    """The address without user, password, query and fragment, in which keys are hidden at times."""
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or ""
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{host}{port}{parts.path}"


def _costs(run: Run) -> dict[str, Any]:
    """Nano-dollars are whole; dollars stand beside them for people."""
    budget, calls = budget_of(run.project_id, run.pk), calls_of_run(run.project, run.pk)
    tokens = {name: getattr(calls, f"tokens_{name}") for name in ("in", "cached", "out")}
    return {
        "cap_nano_usd": budget.cap_nano,
        "spent_nano_usd": budget.spent_nano,
        "spent_usd": budget.spent_nano / NANO,
        "calls": {"answered": calls.stored, "lost": calls.lost, "failed": calls.failed},
        "tokens": tokens,
    }
