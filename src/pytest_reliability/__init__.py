"""Reliability as a test. Nothing is imported here: a dormant pytest plugin must cost nothing."""
