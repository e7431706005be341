"""The codes that an authenticator app would show: RFC 6238, from the secret alone."""

import base64
import hashlib
import hmac
import struct
import time


def code_now(secret: str, *, steps: int = 0) -> str:
    """The six digits at this moment, or so many steps of 30 seconds later."""
    counter = struct.pack(">Q", int(time.time()) // 30 + steps)
    digest = hmac.new(base64.b32decode(secret), counter, hashlib.sha1).digest()
    offset = digest[-1] & 15
    number = struct.unpack(">I", digest[offset : offset + 4])[0] & 0x7FFFFFFF
    return f"{number % 1_000_000:06d}"
