"""Snapshots, settlements, the warehouse over them, the journal: everything that lies on a disk."""
