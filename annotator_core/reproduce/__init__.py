"""The paper's tables and our policies, measured on data with gold labels.

Votes are cast once and kept; every table but the fine-tuning rows comes from kept votes, in seconds.
"""
