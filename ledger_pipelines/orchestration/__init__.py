"""Everything that imports dagster: assets, checks, partitions, jobs, schedules, sensors, and `build`."""
