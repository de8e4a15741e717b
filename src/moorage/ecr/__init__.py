"""The house of the registry: repositories, images, layers, and the OCI distribution protocol.

Same floors as every house, and one more: `distribution` is the streaming shell under /v2/, which
stages bytes and then calls an operation with what it staged. May import `ground`, `shapes`,
`wire`, `sql`, `blob` and `kernel`; knows nothing of `ecs`: what the two share lies in
`kernel/images.py`. Begin reading at `distribution/route.py` and `operations/push.py`.
"""
