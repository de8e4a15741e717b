"""A refusal as a value: rules never raise, operations turn this into the fault that it names."""

from typing import Literal

from moorage.ground.record import Record

Code = Literal["ClientException", "InvalidParameterException", "UnsupportedFeatureException"]


class Refusal(Record):
    """Why a request is refused: AWS's code for it, and the sentence for the caller."""

    message: str
    code: Code = "ClientException"


def invalid(message: str) -> Refusal:
    """A refusal as InvalidParameterException."""
    return Refusal(message=message, code="InvalidParameterException")


def unsupported(message: str) -> Refusal:
    """A refusal of what Amazon has and Moorage has not, yet."""
    return Refusal(message=message, code="UnsupportedFeatureException")
