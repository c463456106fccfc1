"""NetSuite over SuiteTalk REST and SuiteQL. Facts: reference netsuite.md; what is assumed: docs/systems/netsuite.md."""
