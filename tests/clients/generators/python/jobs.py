"""Creates a job of each kind, and prints their IDs as settings of the environment."""

import json
import os
import urllib.request


def call(method, path, body=None):
    request = urllib.request.Request(
        os.environ["WINDLASS_URL"] + path,
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": "Token " + os.environ["WINDLASS_TOKEN"], "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request) as response:
        return json.load(response)


organization = "/organization/" + call("GET", "/organization")["results"][0]["id"]
registry = call("POST", organization + "/containerRegistry", {"name": "generators", "kind": "DOCKER_HUB", "config": {}})
project = call("POST", organization + "/project", {"name": "generators"})
environment = call("POST", f"/project/{project['id']}/environment", {"name": "generators"})
probe = {"type": {"http": {"port": 80}}}
job = {
    "port": 80,
    "healthchecks": {"readiness_probe": probe, "liveness_probe": {"type": {"exec": {"command": ["true"]}}}},
    "source": {"image": {"image_name": "library/busybox", "tag": "1.36.1", "registry_id": registry["id"]}},
}
command = {"entrypoint": "/bin/sh", "arguments": ["-c", "true"]}
schedules = {
    "CRON": {"cronjob": {"scheduled_at": "@daily", "timezone": "Europe/Paris", **command}},
    "LIFECYCLE": {"on_start": command, "on_stop": command},
}
for kind, schedule in schedules.items():
    made = call("POST", f"/environment/{environment['id']}/job", {**job, "name": kind, "schedule": schedule})
    print(f"WINDLASS_{kind}_JOB={made['id']}")
print(f"WINDLASS_ENVIRONMENT={environment['id']}")
