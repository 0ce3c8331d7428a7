"""The bridge to the engine: a challenger's training, and its meeting with the champion."""
