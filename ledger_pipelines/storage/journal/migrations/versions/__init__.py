"""One module a version of the journal's tables."""
