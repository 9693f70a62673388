# Walks pymemcache through its commands: python3 pymemcache-driver.py HOST PORT [USER PASSWORD]
# It knows nothing of authentication: its first set carries the credentials.
import sys

from pymemcache.client.base import Client
from pymemcache.exceptions import MemcacheError

host, port, *credentials = sys.argv[1:]
client = Client((host, int(port)))
try:
    if credentials:
        assert client.set("auth", " ".join(credentials), noreply=False)
    assert client.set("pm-a", "value", noreply=False)
    assert client.get("pm-a") == b"value"
    assert not client.add("pm-a", "other", noreply=False)
    assert client.replace("pm-a", "new", noreply=False)
    assert client.append("pm-a", "er", noreply=False)
    assert client.set("pm-n", "5", noreply=False)
    assert client.incr("pm-n", 7) == 12
    assert client.decr("pm-n", 2) == 10
    assert client.get_many(["pm-a", "pm-n", "pm-z"]) == {"pm-a": b"newer", "pm-n": b"10"}
    value, cas = client.gets("pm-a")
    assert client.cas("pm-a", "newest", cas, noreply=False)
    assert client.cas("pm-a", "late", cas, noreply=False) is False
    assert client.touch("pm-a", 100, noreply=False)
    assert client.delete("pm-a", noreply=False)
    assert client.get("pm-a") is None
    assert client.stats()[b"cmd_set"] > 0
except (MemcacheError, ConnectionError) as error:
    sys.exit(f"{type(error).__name__}: {error}")
