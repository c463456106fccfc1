"""Amazon: settlement files, and the SP-API that serves them."""
