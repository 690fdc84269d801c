"""Owners' consent: what surveys say, by measure, under Civil Code art. 278."""
