"""Cells to a score per cell: reference, alignment, LAIP. Arrays and tensors in, frozen states and arrays out."""
