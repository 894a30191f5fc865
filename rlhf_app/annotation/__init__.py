"""Judgements: record, undo, choose what is next, agree."""
