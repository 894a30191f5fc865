"""Comparisons: recognise, read, import, browse."""
