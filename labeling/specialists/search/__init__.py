"""Searching the hub for models that fit a project's task: rows, actions, and the page."""
