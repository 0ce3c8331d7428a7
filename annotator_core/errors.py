"""The errors of the engine: each message is for a person and says what, where and what to do."""

from typing import TYPE_CHECKING, ClassVar, Final

if TYPE_CHECKING:
    from annotator_core.verifiers.contract import Failure

_PERMANENT: Final = frozenset({"unauthorized", "forbidden", "not_found", "blocked"})
"""Kinds of failures (annotator_core.verifiers.contract.PERMANENT) that no second try mends."""


class AnnotatorError(Exception):
    """Base of every error that the engine raises; ``retryable`` says whether trying again may help."""

    retryable_by_default: ClassVar[bool] = False

    def __init__(self, message: str, *, retryable: bool | None = None) -> None:
        """Keep the message for a person; ``retryable`` overrides the default of the class."""
        super().__init__(message)
        self.message = message
        self.retryable = self.retryable_by_default if retryable is None else retryable


class BadInput(AnnotatorError):
    """What the caller gave (a file, a text, a number) cannot be used as it is."""


class BadModelFolder(AnnotatorError):
    """A model folder is incomplete, unsafe to load, or no text classifier."""


class BadLabelMap(AnnotatorError):
    """A label map does not fit its model or its project's classes."""


class SpecialistCrashed(AnnotatorError):
    """A specialist failed as a whole: not one text, but the model."""

    retryable_by_default = True


class PredictionStopped(AnnotatorError):
    """The caller's ``should_stop`` asked a prediction to end early; nothing of it may be kept."""

    retryable_by_default = True


class HubUnavailable(AnnotatorError):
    """The model hub does not answer, or answers with an error of its own."""

    retryable_by_default = True


class ModelNotFound(AnnotatorError):
    """The hub has no such model or revision, or does not give it to us."""


class ModelTooLarge(AnnotatorError):
    """The model's files are larger than allowed."""


class StorageError(AnnotatorError):
    """A file or folder could not be read or written; nothing half-done is left behind."""


class StoreFull(StorageError):
    """The disk or the quota is full."""

    retryable_by_default = True


class AddressRefused(AnnotatorError):
    """An address must not be called: not http(s), private without leave, or it leads somewhere else."""


class CallFailed(AnnotatorError):
    """One call to a verifier gave no completion; ``failure`` says why (annotator_core.verifiers.contract.Failure)."""

    def __init__(self, failure: "Failure") -> None:
        """Keep the failure; it may be tried again unless the connection itself is broken."""
        super().__init__(failure.message, retryable=failure.kind not in _PERMANENT)
        self.failure = failure


class ConnectionBroken(AnnotatorError):
    """A verifier's endpoint refuses as such (key, model, address): a person must mend the connection."""


class EndpointSilent(ConnectionBroken):
    """A verifier's endpoint has not answered over several pauses in a row: a person says when to go on."""


class BudgetReached(AnnotatorError):
    """The cap has no room for another call: nothing more is asked before it is raised."""


class TryLater(AnnotatorError):
    """A verifier's endpoint asks for a pause, or fails too often: go on after ``after_s`` seconds."""

    retryable_by_default = True

    def __init__(self, message: str, *, after_s: float) -> None:
        """Keep how many seconds to wait."""
        super().__init__(message)
        self.after_s = after_s
