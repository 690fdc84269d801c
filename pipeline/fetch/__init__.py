"""Get open data for a place: the only room that uses the network."""
