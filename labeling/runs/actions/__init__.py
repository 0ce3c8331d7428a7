"""Writes about runs: what managers do with them, their generations, their counters, and where they stand."""

from labeling.runs.actions.aggregations import use_aggregation
from labeling.runs.actions.counts import (
    add_counts,
    add_generation_counts,
    add_member_counts,
    lock_run,
    lock_runs_of_item,
    note_members,
)
from labeling.runs.actions.generations import (
    Scale,
    ask_renewal,
    begin_renewal,
    end_renewal,
    open_generation,
    set_cut,
    stop_at_full_pool,
    take_pool,
)
from labeling.runs.actions.runs import (
    AGAIN_STAGES,
    KIND,
    cancel_run,
    job_of_run,
    pause_run,
    resume_run,
    retry_run,
    start_run,
)
from labeling.runs.actions.states import close_when_decided, end_voting, set_voting
from labeling.runs.actions.verification import (
    PEOPLE_STAGE,
    VERIFY_KIND,
    give_to_people,
    lock_verification,
    raise_cap,
    resume_verification,
    wake_verification,
)

__all__ = [
    "AGAIN_STAGES",
    "KIND",
    "PEOPLE_STAGE",
    "VERIFY_KIND",
    "Scale",
    "add_counts",
    "add_generation_counts",
    "add_member_counts",
    "ask_renewal",
    "begin_renewal",
    "cancel_run",
    "close_when_decided",
    "end_renewal",
    "end_voting",
    "give_to_people",
    "job_of_run",
    "lock_run",
    "lock_runs_of_item",
    "lock_verification",
    "note_members",
    "open_generation",
    "pause_run",
    "raise_cap",
    "resume_run",
    "resume_verification",
    "retry_run",
    "set_cut",
    "set_voting",
    "start_run",
    "stop_at_full_pool",
    "take_pool",
    "use_aggregation",
    "wake_verification",
]
