"""The one way out: text and bytes to a file, a pipe, a device or standard output.

``target`` says where, ``inputs`` what may not be written over, ``writing`` puts text there,
``draft`` a long file whose end decides whether it is kept, ``journal`` a folder that grows.
``disk``, ``unfinished`` and ``locks`` are what these are made of.
"""
