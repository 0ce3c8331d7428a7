"""Template tags of the runs room."""
