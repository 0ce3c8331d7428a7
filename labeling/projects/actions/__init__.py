"""Writes about projects, their classes, guidelines and members."""

from labeling.projects.actions.classes import (
    ClassSpec,
    create_class,
    edit_class,
    move_class,
    rename_class,
    reorder_classes,
    restore_class,
    retire_class,
)
from labeling.projects.actions.invitations import (
    accept_as_new,
    accept_invitation,
    create_invitation,
    revoke_invitation,
)
from labeling.projects.actions.members import add_member, change_role, invite_person, remove_member, switch_account
from labeling.projects.actions.policy import edit_review
from labeling.projects.actions.projects import create_project, edit_project, save_guideline, with_keys

__all__ = [
    "ClassSpec",
    "accept_as_new",
    "accept_invitation",
    "add_member",
    "change_role",
    "create_class",
    "create_invitation",
    "create_project",
    "edit_class",
    "edit_project",
    "edit_review",
    "invite_person",
    "move_class",
    "remove_member",
    "rename_class",
    "reorder_classes",
    "restore_class",
    "retire_class",
    "revoke_invitation",
    "save_guideline",
    "switch_account",
    "with_keys",
]
