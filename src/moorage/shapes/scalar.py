"""The numbers of Amazon's models, with the ranges that their widths give them.

A number out of its width does not decode (AWS: SerializationException), so none of them can
overflow a column of the database or a date later on.
"""

from typing import Annotated

from msgspec import Meta

Integer = Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)]
Long = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
# Epoch seconds from the year 1 to the year 9999, the range of a date.
Timestamp = Annotated[float, Meta(ge=-62_135_596_800, le=253_402_300_799)]
