"""How good a reward model is, told honestly."""
