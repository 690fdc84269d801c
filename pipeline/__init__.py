"""Shancheng: ranks a hillside city's old housing for renovation."""
