"""The Agent Communication Service: what control plane and host agent say to each other.

Pure: messages, their frames, and the protocol as a state machine that both ends drive. Nothing
here opens a socket or reads a clock. May import `ground` alone.

Begin reading at `messages.py` (what is said), then `session.py` (in which order, and what silence
means). `telemetry.py` is the second channel, TCS, with a framing of its own.
"""
