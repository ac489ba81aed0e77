"""Counts to a decision with its uncertainty: background, limits, estimate, call. Pure functions."""
