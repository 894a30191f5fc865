"""What can go wrong and be put right by the person in front of it.

    AppError
    ├── NotFound      the dataset, run or file named does not exist
    ├── BadInput      what was given cannot be used; the message names the row, column or file
    ├── Busy          it would work at another moment
    ├── Forbidden     this visitor may look, not write
    └── ServiceError  another service (the Hub, Argilla) refused or cannot be reached

A message says what happened and what to do next, in one or two sentences. The browser shows it as a toast, the command
line on stderr with exit code 2, a run as its `failed` event. Any other exception is a bug and keeps its traceback.
"""


class AppError(Exception):
    """Root of the errors a user can act on."""


class NotFound(AppError):
    """The thing named does not exist."""


class BadInput(AppError):
    """What was given cannot be used."""


class Busy(AppError):
    """It would work at another moment."""


class Forbidden(AppError):
    """This visitor may not do that."""


class ServiceError(AppError):
    """Another service refused or cannot be reached."""
