"""`python -m pytest_reliability` is the `reliability` command."""

from pytest_reliability.cli import main

raise SystemExit(main())
