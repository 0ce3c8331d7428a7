"""Fine-tuning of specialists."""
