"""Why things are as they are: a service, a deployment, a host, a definition, in plain sentences.

Pure, made from the records alone: what is not known is left out, never guessed. What the scheduler
would do is asked of the scheduler's own rules (`deployment`, `placement`), so that no explanation
can disagree with it. Tasks have theirs in `rules/task/explain.py`.

May import `ground`, `shapes` and the other rules. Begin reading at `filters.py`.
"""
