"""A service and a gateway of the older gateway replacement, as they come."""

import sys
import time

import httpx
from own_health import serving

SAID = {"status": "healthy", "service": "catalogue", "checks": {"database": {"status": "up", "latency_ms": 3}}}


def main(origin):
    with httpx.Client(base_url=f"{origin}/service-discovery", timeout=30) as client, serving(SAID) as port:
        registration = {
            "service_name": "catalogue",
            "host": "127.0.0.1",
            "port": port,
            "protocol": "http",
            "path": "/api/v1",
            "health_check_path": "/health",
            "metadata": {"team": "shop"},
            "tags": ["public", "v1"],
        }
        registered = client.post("/register", json=registration).raise_for_status().json()
        base_url = f"http://127.0.0.1:{port}/api/v1"

        found = client.get("/discover/catalogue").raise_for_status().json()
        assert found == {"service_name": "catalogue", "base_url": base_url, "status": "healthy"}, found
        for path in ("/services", "/services/healthy", "/services/by-tag/public"):
            services = client.get(path).raise_for_status().json()["services"]
            [service] = [each for each in services if each["service_name"] == "catalogue"]
            assert service["base_url"] == base_url and service["tags"] == ["public", "v1"], service
        assert client.get("/services/by-tag/private").raise_for_status().json() == {"services": []}

        for _ in range(600):
            aggregate = client.get("/health/aggregated").raise_for_status().json()
            health = aggregate["services"]["catalogue"]
            if health["health_data"] is not None:
                break
            time.sleep(0.1)
        assert health["health_data"] == SAID, health
        assert health["status"] == "healthy" and health["endpoint"] == base_url, health
        assert aggregate["overall_status"] == "healthy" and aggregate["unhealthy_services"] == 0, aggregate

        path = f"/deregister/catalogue/{registered['service_id']}"
        client.delete(path).raise_for_status()
        assert client.delete(path).status_code == 404
        assert client.get("/discover/catalogue").status_code == 404
    print("gateway clients with httpx: as before")


main(sys.argv[1])
