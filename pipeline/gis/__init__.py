"""Stage 5: the ranking as layers for QGIS."""
