"""The only room that writes: text and bytes to a file, a pipe, a device or standard output.

``target`` says where to write, ``inputs`` what must not be overwritten. ``write`` writes a text,
``draft`` a long file that is kept only if it is finished, ``journal`` a folder that grows. They are
built on ``disk``, ``unfinished`` and ``locks``.
"""
