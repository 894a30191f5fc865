"""The reward model: text to ids, ids to rewards."""
