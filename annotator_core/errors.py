"""The errors of the engine: each message is for a person and says what, where and what to do."""

from typing import ClassVar


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
