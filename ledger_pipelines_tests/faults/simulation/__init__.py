"""Seeded schedules of production code under a fake clock and a fake network, and the judges of what came of them.

Belongs here: the worlds (`engine`, `line`, `netsuite`, `sweep`) and what they share (`schedule`). Does not belong here: real
processes (`crash`, `race`), carrying schedules out by the thousand (`drills.simulate`).
"""
