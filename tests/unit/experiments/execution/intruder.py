"""A program of another user of the machine, who tries to use a cluster without its certificate.

Its arguments are a folder with a certificate that the cluster does not know (``handoff.crt``, ``handoff.key``) and addresses
``HOST:PORT``. It prints a JSON list: for each address and attempt, the received text.
"""

import json
import socket
import ssl
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

PATIENCE_SECONDS = 2
PATHS = ("/", "/status", "/health", "/metrics", "/info/main/workers.html", "/json/counts.json", "/api/v1/retire_workers")


def main(folder: Path, places: list[str]) -> None:
    with ThreadPoolExecutor(len(places)) as threads:
        answers = threads.map(lambda place: attempts(place, folder), places)
        print(json.dumps([answer for some in answers for answer in some]))


def attempts(place: str, folder: Path) -> list[list[str]]:
    """Return what is received at a place in each attempt."""
    answers = []
    host, _, port = place.rpartition(":")
    requests = [("in the clear", None, b""), ("TLS without a certificate", _context(None), b"")]
    requests += [("TLS with a foreign certificate", _context(folder), b"")]
    requests += [(f"GET {path}", None, f"GET {path} HTTP/1.0\r\n\r\n".encode()) for path in PATHS]
    for name, context, request in requests:
        answers.append([place, name, receive(host, int(port), context, request).decode(errors="replace")])
    for scheme in ("tcp", "tls"):
        answers.append([place, f"Dask client on {scheme}", identity(f"{scheme}://{place}", folder)])
    return answers


def _context(folder: Path | None) -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if folder is not None:
        context.load_cert_chain(folder / "handoff.crt", folder / "handoff.key")
    return context


def receive(host: str, port: int, context: ssl.SSLContext | None, request: bytes) -> bytes:
    """Return what a server sends, on its own or after a request."""
    try:
        with socket.create_connection((host, port), PATIENCE_SECONDS) as plain:
            link = plain if context is None else context.wrap_socket(plain)
            with link:
                link.sendall(request or b"\0" * 64)
                return link.recv(4096)
    except OSError:
        return b""


def identity(address: str, folder: Path) -> str:
    """Return what a Dask server says about itself to a client with a foreign certificate."""
    import asyncio

    from distributed.core import connect
    from distributed.security import Security

    files = {"tls_client_cert": str(folder / "handoff.crt"), "tls_client_key": str(folder / "handoff.key")}
    security = Security(tls_ca_file=str(folder / "handoff.crt"), require_encryption=False, **files)

    async def ask() -> str:
        comm = await connect(address, timeout=1, **security.get_connection_args("client"))
        await comm.write({"op": "identity", "reply": True})
        return str(await comm.read())

    try:
        return asyncio.run(asyncio.wait_for(ask(), 2 * PATIENCE_SECONDS))
    except Exception:
        return ""


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
