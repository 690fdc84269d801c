"""Stage 3: need, weights, points, rank."""
