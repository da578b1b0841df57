"""The one exception that a user is meant to read."""


class InputError(Exception):
    """Something outside the program is wrong: one line that says what, where and what to do.

    Commands print the message alone and exit with status 2; nothing is left half-written.
    """
