"""What the cluster keeps: one frozen record a file, the facts only.

Counts and rollout states are computed by rules from tasks, never stored here. Values that AWS
shapes already describe (a deployment configuration, a placement constraint, a container
definition) are reused from `moorage.shapes.ecs`. Records are keyed by (account, region, ...) and
woken by their ARN. May import `ground` and `shapes`.
"""
