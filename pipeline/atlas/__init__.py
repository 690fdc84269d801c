"""Stage 6: the offline map."""
