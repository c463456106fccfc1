"""Decisions of the Neto and Saasu integration."""
