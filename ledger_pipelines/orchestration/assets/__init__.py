"""Factories of assets: key, group, partitions, pool, metadata. What is done lies in the rooms below."""
