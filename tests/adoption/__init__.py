"""Integrations: actions, templates, hooks, the image, the site, a release."""
