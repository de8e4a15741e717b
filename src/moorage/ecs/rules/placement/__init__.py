"""Where tasks go, and why not.

`view` is the cluster as placement sees it, `place` draws hosts for a batch of identical tasks,
`constraint` says why a host cannot, `strategy` in which order hosts are offered, `expression` is
the cluster query language, `explain` the reasons in ECS's words, `scale_in` which tasks stop when
a service shrinks, `reservation` what is kept free for daemons. The words are defined in
`docs/explanation/placement.md`. Begin reading at `place.py`.
"""
