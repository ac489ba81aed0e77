"""People decide: readers judge each call, sign, and every step stays on record."""
