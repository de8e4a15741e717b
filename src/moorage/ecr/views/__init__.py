"""How the registry's records are shown as ECR's shapes.

May import `ground`, `shapes`, `kernel.site` and `ecr.records`; decides nothing.
Begin reading at `repository.py`.
"""
