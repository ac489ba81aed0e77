"""A real Slurm of one node, and the workflow on it."""
