"""Words and contracts every stage shares; imports nothing of the house."""
