"""The vendor's record types as tables: transactions, lists, and the custom types of the shipped packages."""
