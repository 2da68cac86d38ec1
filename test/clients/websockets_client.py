"""Watches a service with the websockets library as it comes, while it registers and deregisters an instance."""

import asyncio
import json
import sys
import urllib.error
import urllib.request

import websockets


def call(method, url, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"content-type": "application/json"}, method=method)
    urllib.request.urlopen(request).close()


async def main(origin):
    services = f"{origin}/api/v1/services"
    watch = f"{origin.replace('http', 'ws', 1)}/api/v1/watch/services/python"
    async with websockets.connect(watch) as stream:

        async def told(event):
            message = json.loads(await asyncio.wait_for(stream.recv(), 60))
            assert message["event"] == event, message
            return message

        assert (await told("snapshot"))["instances"] == []
        call("POST", services, {"name": "python", "id": "a", "host": "127.0.0.1", "port": 80})
        assert (await told("upsert"))["instance"]["service_id"] == "a"
        await asyncio.wait_for(await stream.ping(), 60)
        call("DELETE", f"{services}/python/instances/a")
        removed = await told("remove")
        assert removed["cause"] == "deregistered", removed
    call("POST", services, {"name": "python", "id": "b", "host": "127.0.0.1", "port": 80})
    async with websockets.connect(f"{watch}?since={removed['revision']}") as stream:
        assert (await told("upsert"))["instance"]["service_id"] == "b"
    try:
        await websockets.connect(f"{watch}?unknown=1")
    except websockets.InvalidStatus as refusal:
        assert refusal.response.status_code == 400, refusal
    else:
        raise AssertionError("a bad query was taken")
    print(f"websockets {websockets.__version__} watches")


asyncio.run(main(sys.argv[1]))
