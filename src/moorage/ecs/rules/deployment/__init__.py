"""What a service should do now.

`state` holds what is asked and answered, `reconcile` is the one question, `census` counts the
tasks, `rolling` is the percent arithmetic. `strategies` names the rule that starts and stops tasks,
by the scheduling strategy: `replica`, or `daemon` with `daemon_hosts`, where its tasks belong
(`moves` is their form, `gates` what holds them back). `wants` is what a task asks of its host;
`hosts` says when tasks
on lost ones are given up, `surplus` which go when there are too many, `health` which count,
`freezing` keeps all still, `reasons` and `waits` say why. A deployment passes its stages in
`lifecycle` (`hooks` pause it, `status` has the tables), is done by `steady_state` or
`early_success`, or fails: `causes` says why (`circuit_breaker`, `progress`), `rollback` what then.
`backoff` spaces failed starts, `pinning` resolves images. The words are defined in
`docs/explanation/deployments.md` and `healing.md`. Begin reading at `state.py`, then
`reconcile.py`.
"""
