"""Programs of the peers' own environment; each is run as a file, never imported by the rest."""
