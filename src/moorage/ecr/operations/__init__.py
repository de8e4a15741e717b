"""What happens when ECR is called, and what the data plane asks.

Operations do not know each other; what several need stands in `ecr.rules` or `ecr.store`.
Begin reading at `repository.py`, then `image.py`; `push.py` and `pull.py` serve /v2/.
"""
