"""What follows from an SLO: rules for Prometheus, and unit tests that prove them."""
