"""The built-in synthetic Chongqing (合成 synthetic): raw files of a city whose truth is known."""
