"""From annotations to a trained model, in a process of its own."""
