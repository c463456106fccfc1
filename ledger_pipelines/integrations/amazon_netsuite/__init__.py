"""Amazon settlements into NetSuite."""
