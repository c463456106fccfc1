"""One package an integration: which documents flow, under which of the user's settings."""
