"""What the registry keeps: one frozen record a file. May import `ground` and `shapes`."""
