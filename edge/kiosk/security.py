"""What keeps the page to itself: one host, one origin, no storing, nothing from elsewhere.

The socket is bound to loopback only; this guards against what a browser on the same machine could be made to
do: another site's page that opens our socket (Origin), or a foreign name that points at 127.0.0.1 (Host).
"""

from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self'",
            "media-src 'self'",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=(), serial=(), hid=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def hosts_of(host: str, port: int) -> frozenset[str]:
    """The values of the Host header that mean this page."""
    literal = f"[{host}]" if ":" in host else host
    return frozenset({f"{literal}:{port}", f"localhost:{port}"})


def guard(hosts: Callable[[], frozenset[str]], refused: Callable[[], None]) -> Middleware:
    """A middleware that answers 403 to a foreign Host or Origin and calls ``refused``."""

    @web.middleware
    async def only_ourselves(request: web.Request, handler: Handler) -> web.StreamResponse:
        known = hosts()
        origin = request.headers.get("Origin")
        if request.headers.get("Host") not in known or (
            origin is not None and origin not in {f"http://{host}" for host in known}
        ):
            refused()
            return web.Response(status=403, text="This page is only for the screen of this terminal.")
        return await handler(request)

    return only_ourselves


def stamp() -> Callable[[web.Request, web.StreamResponse], Awaitable[None]]:
    """A handler of aiohttp's ``on_response_prepare`` that puts `HEADERS` on every answer."""

    async def on_prepare(_request: web.Request, response: web.StreamResponse) -> None:
        response.headers.update(HEADERS)
        response.headers.pop("Server", None)

    return on_prepare
