"""From YAML files to rules, with every problem at its place."""
