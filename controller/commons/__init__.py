"""The commons in the store: members, ballot boxes, rounds, urgent needs, sharing between sites.

Joins the pure rule (controller/allocation) with needs and stock; the rule never sees the store.
"""
