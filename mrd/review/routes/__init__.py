"""The addresses of the review, one file per part of it."""
