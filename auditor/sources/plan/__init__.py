"""A Terraform or OpenTofu plan as a source: the connections that an account would hold."""
