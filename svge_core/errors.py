"""Errors a user can cause. Every message says what was expected, what came, and what to do."""


class SvgeError(Exception):
    """Base of all errors that are a user's to mend; the command line and the app show their text alone.

    Attributes:
        settings: names of the settings that mend it; whoever shows the text may say what they are called there, as the
            command line does with its options.
    """

    def __init__(self, message: str = "", *, settings: tuple[str, ...] = ()) -> None:
        """Take the one line for people."""
        super().__init__(message)
        self.settings = settings


class InvalidCellError(SvgeError):
    """A graph is not a member of the search space; the message gives the reason."""


class ParseError(SvgeError):
    """A text is not an architecture in the notation that was expected."""


class CheckpointError(SvgeError):
    """A checkpoint folder is missing, damaged, or belongs to something else; the message names the field."""


class DataError(SvgeError):
    """A label table cannot be used as it is: missing columns, not a number, unknown architecture, too large."""
