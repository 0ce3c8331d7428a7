"""The engine's commands for the shell."""
