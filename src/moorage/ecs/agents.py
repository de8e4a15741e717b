"""The table of the agents: what the gateway runs for each event of a host's session."""
