"""A service: reconcile, place, and write tasks, stops, events and deployments in one transaction."""
