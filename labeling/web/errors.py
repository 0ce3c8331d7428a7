"""Errors whose message is meant for the person in front of the screen."""


class ActionError(Exception):
    """An action refused: the message says what is wrong and what to do; `field` names the form field, if any."""

    def __init__(self, message: str, *, field: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.field = field
