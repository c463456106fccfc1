"""The engine: plan, guards, apply, recover. Knows no vendor."""
