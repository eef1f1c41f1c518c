"""A plugin whose import fails with an error that has no text."""


class MuteError(Exception):
    """An exception that cannot say what it is."""

    def __str__(self) -> str:
        raise RuntimeError("no words")


raise MuteError
