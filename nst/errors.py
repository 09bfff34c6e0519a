"""The exception, and the warning, whose messages are written for the person at the other end."""


class InputError(ValueError):
    """Something a person handed in cannot be used.

    The message is one sentence that says what is wrong and what to do; page, API and command line
    show it as it is.
    """


class NoRoomError(InputError):
    """There is not enough memory for even a small painting."""


class IncompleteWarning(UserWarning):
    """A picture was taken although part of it is missing; the message is a sentence, as above."""
