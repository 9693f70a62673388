# Walks pylibmc through its commands: python3 pylibmc-driver.py HOST PORT [USER PASSWORD]
import sys

import pylibmc

host, port, *credentials = sys.argv[1:]
options = {}
if credentials:
    options = {"username": credentials[0], "password": credentials[1]}
client = pylibmc.Client([f"{host}:{port}"], binary=True, **options)
try:
    assert client.set("py-a", "value")
    assert client.get("py-a") == "value"
    assert not client.add("py-a", "other")
    assert client.replace("py-a", "new")
    assert client.set("py-n", 5)
    assert client.incr("py-n", 7) == 12
    assert client.decr("py-n", 2) == 10
    assert client.set_multi({"py-b": b"1", "py-c": [2]}) == []
    found = client.get_multi(["py-a", "py-b", "py-c", "py-d"])
    assert found == {"py-a": "new", "py-b": b"1", "py-c": [2]}, found
    assert client.delete("py-a")
    assert client.get("py-a") is None
    ((_, stats),) = client.get_stats()
    assert int(stats["cmd_set"]) > 0
except pylibmc.Error as error:
    sys.exit(f"{type(error).__name__}: {error}")
