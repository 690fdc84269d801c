"""Stage 5: maps."""
