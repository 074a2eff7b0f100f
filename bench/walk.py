"""The bare walk: download every page of a listing, and look at nothing but the cursor."""

from __future__ import annotations

import base64
import gzip
import os
import re
import sys
from http.client import HTTPConnection
from urllib.parse import quote, urlsplit

_CURSOR = re.compile(rb'"next_cursor":"([^"]*)"')


def main() -> None:
    """Walk the API at the address named, with so many records a page."""
    address, limit = urlsplit(sys.argv[1]), sys.argv[2]
    secret = f"{os.environ['FIVETRAN_API_KEY']}:{os.environ['FIVETRAN_API_SECRET']}"
    headers = {"Authorization": f"Basic {base64.b64encode(secret.encode()).decode()}"}
    headers["Accept-Encoding"] = "gzip"
    connection = HTTPConnection(str(address.hostname), address.port)
    target, pages = f"/v1/connections?limit={limit}", 0
    while True:
        connection.request("GET", target, headers=headers)
        answer = connection.getresponse()
        body = answer.read()
        if answer.getheader("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        pages += 1
        found = _CURSOR.search(body)
        if found is None:
            break
        target = f"/v1/connections?limit={limit}&cursor={quote(found[1].decode())}"
    print(pages)


if __name__ == "__main__":
    main()
