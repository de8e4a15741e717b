"""What the house of identities keeps: one frozen record a file. May import `ground` only."""
