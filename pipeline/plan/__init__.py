"""Stage 4: from ranked buildings to the lists that people decide on."""
