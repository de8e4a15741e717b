"""A task: its stop order that nobody takes in, and its reaping."""
