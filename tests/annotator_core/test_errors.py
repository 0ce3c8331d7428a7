"""Errors carry a message for a person and say whether trying again may help."""

from annotator_core.errors import BadModelFolder, HubUnavailable, SpecialistCrashed


def test_errors_know_whether_trying_again_helps() -> None:
    assert HubUnavailable("x").retryable
    assert not BadModelFolder("x").retryable
    assert not SpecialistCrashed("x", retryable=False).retryable


def test_errors_keep_their_message() -> None:
    assert (
        BadModelFolder("No weights in /m.").message == str(BadModelFolder("No weights in /m.")) == "No weights in /m."
    )
