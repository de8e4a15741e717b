"""What a message of the server means to the engine: one responder a file, one file a message.

A responder is a pure function `message -> Response`: events for the engine, and
instructions that need no decision of it (an acknowledgement of a heartbeat). `respond.py` holds
the table of them. May import `ground`, `acs`, `agent.records` and `agent.engine`.
"""
