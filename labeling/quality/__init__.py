"""Quality: blind audits, what they say of a run's labels, and the certificate."""
