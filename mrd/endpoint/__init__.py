"""Calls and clinical tables in, the endpoint dataset of the trial out."""
