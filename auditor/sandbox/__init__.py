"""The embedded API: a realistic estate (``estate.py``), served on loopback (``server.py``)."""
