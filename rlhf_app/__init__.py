"""Preference Lab: from two answers to the same prompt to a reward model you can trust."""

__version__ = "0.1.0"
