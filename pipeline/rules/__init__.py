"""The rules of the ranking, each once: tracks, vetoes, points, order and tiers."""
