"""What stops an evaluation."""

from edge.errors import AnxinError


class UnusableInputError(AnxinError):
    """The list, folder or picture that was given cannot be evaluated; the message says where and what to do."""

    exit_code = 2
