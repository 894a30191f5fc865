"""Entry point, at home and on Hugging Face Spaces: `python app.py`."""

import os
import sys

from rlhf_app.errors import AppError
from rlhf_app.launch import launch
from rlhf_app.settings import read_settings

if __name__ == "__main__":
    try:
        launch(read_settings(os.environ))
    except AppError as error:
        print(f"Error: {error}", file=sys.stderr)
        sys.exit(2)
