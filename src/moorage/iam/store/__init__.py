"""How identities are kept: functions with the transaction first, one file a table.

A changed access key wakes the gateway, which holds verified keys in memory.
May import `iam.records`, `ground` and `sql`. Begin reading at `access_keys.py`.
"""
