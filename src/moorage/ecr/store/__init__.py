"""How the registry's facts are kept: functions with the transaction first, one file a table."""
