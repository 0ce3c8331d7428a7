"""The forecast: what a run will cost in each mode, before anything is spent."""
