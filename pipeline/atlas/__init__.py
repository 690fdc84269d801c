"""Stage 5: the offline map."""
