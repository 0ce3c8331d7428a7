"""Writes about jobs: what people do with them, and what a worker does with a claimed chunk."""

from labeling.jobs.actions.claims import (
    Claim,
    LeaseLost,
    claim,
    fail,
    finishing,
    give_back,
    renew,
    report,
    storing,
)
from labeling.jobs.actions.jobs import (
    add_chunks,
    begin_stage,
    mark_dirty,
    open_job,
    restart_job,
    retry_dead,
    set_state,
)

__all__ = [
    "Claim",
    "LeaseLost",
    "add_chunks",
    "begin_stage",
    "claim",
    "fail",
    "finishing",
    "give_back",
    "mark_dirty",
    "open_job",
    "renew",
    "report",
    "restart_job",
    "retry_dead",
    "set_state",
    "storing",
]
