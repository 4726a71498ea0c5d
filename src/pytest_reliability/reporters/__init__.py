"""Ways to print a report: one module a format."""
