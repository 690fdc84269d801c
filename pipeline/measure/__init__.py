"""Stage 2: one row of numbers for each building."""
