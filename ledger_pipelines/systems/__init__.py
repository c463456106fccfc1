"""One package a vendor: all that is true of it, and nothing that is true of another."""
