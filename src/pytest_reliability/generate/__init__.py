"""From service level objectives to what Prometheus runs: recording and alerting rules, and unit tests that prove the alerts.

Pure functions from the graph to text. `files.rules_file` and `files.unit_tests_file` are the ways in.
"""
