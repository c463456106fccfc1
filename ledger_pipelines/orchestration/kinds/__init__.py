"""One module a kind of integration: the assets, jobs, sensors and schedules it adds to the code location."""
