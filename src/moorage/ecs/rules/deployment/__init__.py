"""What a service should do now.

`state` holds what is asked and answered, `reconcile` is the one question, `census` counts the
tasks, `rolling` is the percent arithmetic, `strategies` names the rule that starts and stops tasks
by the scheduling strategy (`replica`; `moves` is its form), `hosts` says when tasks on lost ones
are given up, `surplus` which go when there are too many, `health` which count,
`freezing` keeps all still, `reasons` says why. `circuit_breaker` and `backoff` judge failed
starts, `steady_state` ends a deployment, `pinning` resolves images. The words are defined in
`docs/explanation/deployments.md` and `healing.md`. Begin reading at `state.py`, then
`reconcile.py`.
"""
