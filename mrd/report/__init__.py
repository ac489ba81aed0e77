"""Pages: draws what the stages wrote, computes nothing of its own."""
