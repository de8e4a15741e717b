"""Text of others, for a terminal: what hosts, containers and tenants say is shown, and does nothing.

A control character can move the cursor, set the title, answer for the person who types, or hide
what stands before it.
"""

STAND_IN = "\N{REPLACEMENT CHARACTER}"


def plain(text: str | None) -> str:
    """`text` with a mark in place of each character that is not to be seen; tabs stay."""
    return "".join(c if c.isprintable() or c == "\t" else STAND_IN for c in text or "")
