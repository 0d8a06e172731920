"""Why a builder gives up."""


class CannotBuildError(Exception):
    """Too little is known to build a fix. The text says what is missing."""
