"""How the cluster decides: pure functions from frozen records to frozen answers.

`definition` (is this task definition sound, and what is its normal form), `placement` (where do
tasks go), `deployment` (what should a service do now), `task` (how a task moves, and what its host
is told), `events` (the sentences). May import `ground`, `shapes`, `acs` and `ecs.records`; never
I/O, the clock or chance. Nothing here raises for an expected outcome: a refusal is a `Refusal`.
Begin reading at `placement/place.py` and `deployment/reconcile.py`; the words are defined in
`docs/explanation/placement.md`, `deployments.md` and `healing.md`.
"""
