# Walks python-binary-memcached through its commands:
# python3 bmemcached-driver.py HOST PORT [USER PASSWORD]
import sys

import bmemcached
from bmemcached.exceptions import AuthenticationNotSupported, InvalidCredentials, MemcachedException

host, port, *credentials = sys.argv[1:]
client = bmemcached.Client((f"{host}:{port}",), *credentials)
try:
    client.delete("bm-n")
    assert client.set("bm-a", "value")
    assert client.get("bm-a") == "value"
    assert not client.add("bm-a", "other")
    assert client.replace("bm-a", "new")
    assert client.incr("bm-n", 7, default=5) == 5
    assert client.incr("bm-n", 7) == 12
    assert client.decr("bm-n", 2) == 10
    client.set_multi({"bm-b": "1", "bm-c": "2"})
    found = client.get_multi(["bm-a", "bm-b", "bm-c", "bm-d"])
    assert found == {"bm-a": "new", "bm-b": "1", "bm-c": "2"}, found
    value, cas = client.gets("bm-a")
    assert client.cas("bm-a", "newer", cas)
    assert not client.cas("bm-a", "late", cas)
    assert client.delete("bm-a")
    assert client.get("bm-a") is None
    (stats,) = client.stats().values()
    assert int(stats["cmd_set"]) > 0
except (AuthenticationNotSupported, InvalidCredentials, MemcachedException) as error:
    sys.exit(f"{type(error).__name__}: {error}")
