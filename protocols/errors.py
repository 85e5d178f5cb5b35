"""The one error of the wire: what outside bytes become when they are not a value."""


class WireError(Exception):
    """Outside bytes that are not a message.

    code: short stable word (``json``, ``type``, ``range``, ``missing``, ``version``, ``size``,
    ``topic``, ``unknown``, ``text``). field: dotted path of what is wrong, "" for the whole.
    """

    def __init__(self, code: str, field: str, message: str) -> None:
        super().__init__(code, field, message)
        self.code = code
        self.field = field
        self.message = message

    def __str__(self) -> str:
        if self.field:
            return self.field + ": " + self.message
        return self.message
