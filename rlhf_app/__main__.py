"""`python -m rlhf_app`: the command line."""

from .cli import main

main()
