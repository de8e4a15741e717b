"""What the house of identities keeps: one frozen record a file.

An account, an access key, a join token; secrets are sealed or hashed before they get here.
May import `ground` only. Begin reading at `access_key.py`.
"""
