"""The front door as a configuration of nginx: the same routes, written by `sagamart nginx`.

Rules:
- A prefix of two segments (`/v1/orders`) that one service has for itself is one location; where several share it, each
  path is a location of its own.
- nginx asks the next replica only where nothing was sent, or where the request reads: as our own door does.
- Lists that are joined of all services (dead letters, consumers, …) and the audit are asked of a `sagamart door` beside
  nginx, which joins them; under a service's `/services/<name>/` prefix is what that service alone says.
"""

import re
from collections import defaultdict
from collections.abc import Iterator

from sagamart.audit import AUDIT
from sagamart.door.operations import JOINED
from sagamart.door.routes import RouteTable
from sagamart.web.forms import SHEET_FORM_BYTES_MAX

PREFIX_SEGMENTS = 2
DOOR = "door"
"""Our own door, for what has to be asked of all services."""

PAGES = "web"
"""The pages for people: every path that is no program's."""

_PARAMETER = re.compile(r"\{[^}]+\}")

_NOT_FOUND = (
    "default_type application/problem+json; return 404 '"
    '{"type":"urn:sagamart:not_found","title":"There is no such thing","status":404,"code":"not_found"}'
    "';"
)
_HEAD = """\
# Written by `sagamart nginx` from the services' own routes; to be included in nginx's `http { }`.
# Each service is reached under its name, on port 8080, as are the pages (`sagamart serve web`) and the door
# (`sagamart door`) that makes one list of what all services say, and finds the audit (`sagamart serve audit`).
# Set SAGAMART_HTTP_TRUSTED_PROXIES to nginx's address there, and to nginx's and the door's at the services.
"""
_SERVER = f"""\
server {{
    listen 80;
    # The largest that anybody behind it takes, a file of products; whoever takes less says so in a problem.
    client_max_body_size {SHEET_FORM_BYTES_MAX // 2**20}m;

    proxy_http_version 1.1;
    proxy_set_header Host $host;
    proxy_set_header Connection "";
    proxy_set_header X-Request-Id $request_id;
    proxy_set_header X-Forwarded-For $remote_addr;
    proxy_set_header X-Forwarded-Proto $scheme;
    proxy_buffering off;
    proxy_read_timeout 65s;
    proxy_connect_timeout 5s;
    proxy_next_upstream error timeout;
    proxy_next_upstream_tries 3;
"""


def nginx_configuration(routes: RouteTable) -> str:
    """The whole file."""
    upstreams = "\n".join(
        f"upstream sagamart_{place} {{\n    server {place}:8080;\n    keepalive 32;\n}}"
        for place in (*_services(routes), DOOR, PAGES)
    )
    locations = "\n".join(f"    location {match} {{ {action} }}" for match, action in _locations(routes))
    return f"{_HEAD}\n{upstreams}\n\n{_SERVER}\n{locations}\n}}\n"


def _locations(routes: RouteTable) -> Iterator[tuple[str, str]]:
    by_prefix: dict[str, dict[str, str]] = defaultdict(dict)
    for service, paths in (*_services(routes).items(), (DOOR, [*JOINED, *routes.paths.get(AUDIT, ())])):
        for path in paths:
            by_prefix[_prefix(path)][path] = service
    for prefix, owners in sorted(by_prefix.items()):
        if len(set(owners.values())) == 1:
            yield f"^~ {prefix}", _to(next(iter(owners.values())))
        else:
            for path, service in sorted(owners.items(), key=lambda one: (one[0].count("{"), one[0])):
                pattern = "[^/]+".join(map(re.escape, _PARAMETER.split(path)))
                yield f"~ ^{pattern}$", _to(service)
    for service in _services(routes):
        yield f"~ ^/v1/operations/(dead-letters|consumers|parked-keys)/{service}[./]", _to(service)
        yield f"^~ /services/{service}/", f"rewrite ^/services/{service}/(v1/.*)$ /$1 break; {_to(service)}"
    first = next(iter(routes.paths))
    yield "^~ /docs/", _to(first)
    yield "/v1/", _NOT_FOUND
    yield "/", _to(PAGES)


def _services(routes: RouteTable) -> dict[str, list[str]]:
    """The paths of those that are services."""
    return {name: paths for name, paths in routes.paths.items() if name != AUDIT}


def _prefix(path: str) -> str:
    segments = path.split("/")[1 : PREFIX_SEGMENTS + 1]
    literal = [segment for segment in segments if "{" not in segment]
    return "/" + "/".join(literal)


def _to(service: str) -> str:
    return f"proxy_pass http://sagamart_{service};"
