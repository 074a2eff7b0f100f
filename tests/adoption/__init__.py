"""What stands around the tool: actions, templates, hooks, the image, the site, a release."""
