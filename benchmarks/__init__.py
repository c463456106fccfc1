"""What `make bench` measures: reading settlements (`settlement_load`), NetSuite calls per settlement (`calls`)."""
