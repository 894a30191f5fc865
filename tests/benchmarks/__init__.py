"""Ratios against the obvious alternative, measured in the same run: machines differ, ratios less so."""
