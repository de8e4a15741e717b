"""The house that knows who may do what: accounts, access keys, and how hosts join.

Same floors as every house: api, authorize, operations, store, rules, records; imports go down
only. `trust.py` is what the house knows of certificates, for the gateway and the cluster's house.
May import `ground`, `shapes`, `wire`, `sql` and `kernel`. `authorize.py` is the one door that every
call passes; policies of users and roles come later. Begin reading there.
"""
