"""Stage 1: clean tables from raw files."""
