"""What an accountant looks at: statement, reconciliation, plots."""
