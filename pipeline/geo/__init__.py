"""Spatial arithmetic shared by stages: arrays in, arrays out, no files."""
