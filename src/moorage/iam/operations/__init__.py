"""What happens when somebody asks who they are, makes an account, or lets a host join.

Operations do not know each other. Begin reading at `caller_identity.py`.
"""
