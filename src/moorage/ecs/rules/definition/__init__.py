"""Whether a task definition is sound, and how ECS reads it back.

`validate` refuses with AWS's sentences, `defaults` writes the normal form, `sizes` reads "1 vCPU"
and "2 GB", `members` says what no host of ours offers, `launch` refuses what RunTask, StartTask
and services may not ask yet, `overrides` lays a task's overrides over its definition.
Begin reading at `validate.py`.
"""
