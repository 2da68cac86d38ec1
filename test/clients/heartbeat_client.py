"""A service and a caller of the older heartbeat system, as they come: registers, lives, is found, leaves."""

import asyncio
import sys

import httpx
from own_health import serving


async def main(origin):
    async with httpx.AsyncClient(base_url=f"{origin}/v1/discovery", timeout=30) as client:
        with serving({"status": "healthy", "load_percentage": 0.25}) as port:
            key = {"service_name": "ledger", "instance_id": "ledger-1"}
            registration = {
                **key,
                "host": "127.0.0.1",
                "port": port,
                "health_endpoint": "/health",
                "metadata": {"version": "1.4.2", "capabilities": ["read", "write"]},
            }
            answer = await client.post("/register", json=registration)
            answer.raise_for_status()
            assert answer.json()["status"] == "registered", answer.text
            assert answer.json()["ttl_seconds"] > answer.json()["heartbeat_interval_seconds"] > 0, answer.text

            answer = await client.post("/heartbeat", json=key)
            answer.raise_for_status()
            assert answer.json()["status"] == "ok", answer.text

            services = (await client.get("/services")).raise_for_status().json()["services"]
            assert [each["instance_id"] for each in services["ledger"]] == ["ledger-1"], services
            for _ in range(600):
                found = (await client.get("/services/ledger/healthy")).raise_for_status().json()["instances"]
                if found[0]["load_percentage"] is not None:
                    break
                await asyncio.sleep(0.1)
            [instance] = found
            assert instance["load_percentage"] == 0.25, instance
            assert instance["host"] == "127.0.0.1" and instance["port"] == port, instance
            assert instance["health_endpoint"] == "/health" and instance["status"] == "healthy", instance
            assert instance["metadata"]["capabilities"] == ["read", "write"], instance

            answer = await client.delete("/unregister/ledger/ledger-1")
            assert answer.raise_for_status().json()["status"] == "unregistered", answer.text
            answer = await client.post("/heartbeat", json=key)
            assert answer.status_code == 404, answer.text
            assert answer.headers["content-type"].startswith("application/problem+json"), answer.headers
    print("heartbeat clients with httpx: as before")


asyncio.run(main(sys.argv[1]))
