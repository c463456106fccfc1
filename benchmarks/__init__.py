"""What `make bench` measures, one module a benchmark (`suite`), and how results are kept (`report`)."""
