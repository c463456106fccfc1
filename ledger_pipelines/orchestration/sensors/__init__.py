"""Sensors: files that arrive, reports that are fetched, runs that are taken up again, failures that are told."""
