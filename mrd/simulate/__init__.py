"""Synthetic marrow with known truth: populations, leukaemia, cytometer, artefacts. Pure functions; opens no file."""
