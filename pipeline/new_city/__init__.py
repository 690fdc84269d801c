"""Guess what the files of a new city are; say what was guessed and what could not be told."""
