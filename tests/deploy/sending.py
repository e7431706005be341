"""HTTP as it is spoken: an answer is an answer, whatever its status."""

import urllib.error
import urllib.request


def send(method, url, *, body=None, headers=None):
    """Returns: status, headers, body, whatever the status."""
    request = urllib.request.Request(url, data=body, headers=headers or {}, method=method)  # noqa: S310
    try:
        with urllib.request.urlopen(request) as answer:  # noqa: S310
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as answer:
        with answer:
            return answer.code, answer.headers, answer.read()
