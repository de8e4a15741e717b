"""How identities are kept: functions with the transaction first, one file a table."""
