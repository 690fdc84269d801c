"""Construction years that nobody recorded: estimates with honest intervals.

Assumes that buildings of one estate were built within a few years of each other, and that old housing
looks, stands and is built differently from new. Cannot know of rebuilding on an old footprint.
"""
