"""The site: pages of ``docs/``, reference from the code, a page for each shipped rule."""
