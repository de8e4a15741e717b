"""Which running tasks should move to other zones and hosts, and which should stay, and why.

`mode` says what a service wants (its tag, its availabilityZoneRebalancing, its strategy), `zones`
what ECS lets be asked for, `tally` counts what lies where, `case` is one service as the planner sees
it, `field` the hosts with what moves so far have promised, `balance` the search for one move, `plan`
the one question: which moves next, within the budget.
How one move is carried out stands in `rules.deployment.relocation`. The words are defined in
`docs/explanation/rebalancing.md`.

May import what all rules may, and `rules.deployment`. Begin reading at `plan.py`.
"""
