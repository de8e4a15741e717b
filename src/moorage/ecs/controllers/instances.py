"""An instance: lost, returned, draining, deregistered; and who waits for room in its cluster."""
