"""The browser that the tests of the HTML report have."""

from tests.reports.conftest import browser

__all__ = ["browser"]
