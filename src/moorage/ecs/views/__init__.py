"""How the cluster's facts are shown: records in, Amazon's answer shapes out.

Lists that AWS always sends are sent empty, counts are computed here from tasks, timestamps are
epoch seconds. Views read no table: an operation hands them what they show.
May import `ground`, `shapes` and, in this house, `records` and `rules`. Begin at `task.py`.
"""
