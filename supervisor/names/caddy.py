"""The configuration of Caddy, which does not change when services move.  Pure.

Each request is looked up in a folder: for `api.shop.localhost` there is a file `api.shop.localhost/127.0.0.1:8100`,
named by the address, as long as that service can be reached.  Where there is none, and where nobody answers at that
address, Caddy asks the process in `follow`, with the head of the request alone; that one says an address, perhaps after
a while, or answers the client itself.  So bodies and streams never go through a program of ours.
"""

from collections.abc import Collection
from typing import Any

from supervisor.api.name_proxy import NamePlaces

Json = dict[str, Any]
LEADS_TO = "X-Portsup-To"  # the answer that names an address
HOST, METHOD, ERROR = "X-Portsup-Host", "X-Portsup-Method", "X-Portsup-Error"
ASK, SAY_WHY = "/address", "/why"
_HOSTS = r"^[a-z0-9-]+(\.[a-z0-9-]+)+\.localhost$"  # what cannot be mistaken for a pattern or another folder


def configuration(
    places: NamePlaces, port: int, hosts: Collection[str], domains: Collection[str], storage: str
) -> Json:
    """All of it; `hosts` are the addresses to listen on.  With `domains` it speaks HTTPS, for the names below these."""
    server: Json = {
        "listen": [f"{host}:{port}" for host in hosts],
        "protocols": ["h1", "h2"] if domains else ["h1", "h2c"],
        "automatic_https": {"disable_redirects": True} if domains else {"disable": True},
        "routes": [
            {"match": [_known(places)], "handle": [_to("{http.matchers.file.relative}")], "terminal": True},
            {"handle": [_ask(places, ASK)]},
        ],
        "errors": {"routes": [{"handle": [_otherwise(places)]}]},
    }
    apps: Json = {"http": {"servers": {"names": server}}}
    if domains:
        wanted = sorted(f"*.{domain}" for domain in domains)
        server["listener_wrappers"] = [{"wrapper": "http_redirect"}, {"wrapper": "tls"}]
        server["tls_connection_policies"] = [{}]
        policy = {"subjects": wanted, "issuers": [{"module": "internal"}]}
        apps["tls"] = {"certificates": {"automate": wanted}, "automation": {"policies": [policy]}}
        apps["pki"] = {"certificate_authorities": {"local": {"install_trust": False}}}
    return {
        "admin": {"listen": f"unix/{places.admin}", "origins": ["localhost"], "config": {"persist": False}},
        "logging": {"logs": {"default": {"level": "WARN"}}},
        "storage": {"module": "file_system", "root": storage},
        "apps": apps,
    }


def _known(places: NamePlaces) -> Json:
    lookup = {"root": f"{places.addresses}/{{http.request.host}}", "try_files": ["*"]}
    return {"vars_regexp": {"{http.request.host}": {"pattern": _HOSTS}}, "file": lookup}


def _to(dial: str) -> Json:
    """Passes the request on; each on a connection of its own, because one that waits unused may end as it is needed."""
    transport = {"protocol": "http", "keep_alive": {"enabled": False}}
    return {"handler": "reverse_proxy", "upstreams": [{"dial": dial}], "flush_interval": -1, "transport": transport}


def _ask(places: NamePlaces, path: str) -> Json:
    told = {HOST: ["{http.request.host}"], METHOD: ["{http.request.method}"], ERROR: ["{http.error.message}"]}
    return _to(f"unix/{places.follower}") | {
        "rewrite": {"method": "GET", "uri": f"{path}?"},
        "headers": {"request": {"set": told}},
        "load_balancing": {"try_duration": "10s", "try_interval": "100ms"},  # while that process is started again
        "handle_response": [
            {
                "match": {"headers": {LEADS_TO: ["*"]}},
                "routes": [{"handle": [_to(f"{{http.reverse_proxy.header.{LEADS_TO}}}")]}],
            }
        ],
    }


def _otherwise(places: NamePlaces) -> Json:
    """What follows an error: another address, and if that is in vain too, the reason."""
    again = {"routes": [{"handle": [_ask(places, ASK)]}]}
    return {"handler": "subroute", **again, "errors": {"routes": [{"handle": [_ask(places, SAY_WHY)]}]}}
