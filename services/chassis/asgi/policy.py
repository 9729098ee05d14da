"""Headers that every answer carries: the content security policy and its companions.

The policy is the strict one the front ends were built for; configuration may only add a tile host, an object store,
a script host of the messenger the phone runs in, and a portal that embeds the console.
"""

from __future__ import annotations

from dataclasses import dataclass

Header = tuple[bytes, bytes]


@dataclass(frozen=True, slots=True)
class ContentPolicy:
    """What may be added to the strict policy. Each entry is an origin such as 'https://tiles.example'."""

    images: tuple[str, ...] = ()
    connections: tuple[str, ...] = ()
    scripts: tuple[str, ...] = ()
    frame_ancestors: tuple[str, ...] = ()

    def header(self) -> str:
        """The value of Content-Security-Policy."""
        rows = (
            ("default-src", ("'none'",)),
            ("script-src", ("'self'", *self.scripts)),
            ("style-src", ("'self'",)),
            ("img-src", ("'self'", "data:", "blob:", *self.images)),
            ("font-src", ("'self'", "data:")),
            ("connect-src", ("'self'", *self.connections)),
            ("worker-src", ("'self'",)),
            ("manifest-src", ("'self'",)),
            ("form-action", ("'self'",)),
            ("base-uri", ("'none'",)),
            ("frame-ancestors", self.frame_ancestors or ("'none'",)),
        )
        return "; ".join(f"{name} {' '.join(values)}" for name, values in rows)


def security_headers(policy: ContentPolicy) -> list[Header]:
    """The fixed headers of every answer, ready for ASGI."""
    headers = {
        "content-security-policy": policy.header(),
        "x-content-type-options": "nosniff",
        "referrer-policy": "same-origin",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "permissions-policy": "camera=(self), geolocation=(self), microphone=(), payment=(), usb=()",
    }
    if not policy.frame_ancestors:
        headers["x-frame-options"] = "DENY"
    return [(name.encode(), value.encode()) for name, value in headers.items()]


HSTS: Header = (b"strict-transport-security", b"max-age=31536000")
NO_STORE: Header = (b"cache-control", b"no-store")
