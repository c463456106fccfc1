"""The user's choices: typed, checked in one place, errors with file and line."""
