"""Decodes both kinds of jobs with the packages of two generators."""

import importlib
import json
import os
import pkgutil
import sys
import urllib.request

sys.path.insert(0, os.getcwd())

import httpx_client.api.job_main_calls.get_job as get_job  # openapi-python-client
import httpx_client
import pydantic_models

KINDS = {"CRON": "CronJobResponse", "LIFECYCLE": "LifecycleJobResponse"}

for module in pkgutil.walk_packages(httpx_client.__path__, "httpx_client."):
    importlib.import_module(module.name)
client = httpx_client.AuthenticatedClient(
    os.environ["WINDLASS_URL"], os.environ["WINDLASS_TOKEN"], prefix="Token", raise_on_unexpected_status=True
)
for kind, name in KINDS.items():
    identifier = os.environ[f"WINDLASS_{kind}_JOB"]
    job = get_job.sync(identifier, client=client)
    assert type(job).__name__ == name, type(job)
    assert str(job.id) == identifier and job.healthchecks.readiness_probe.type_.http.port == 80, job
    request = urllib.request.Request(
        f"{os.environ['WINDLASS_URL']}/job/{identifier}",
        headers={"Authorization": "Token " + os.environ["WINDLASS_TOKEN"]},
    )
    with urllib.request.urlopen(request) as response:
        model = pydantic_models.JobResponse.model_validate(json.load(response)).root
    assert type(model).__name__ == name, type(model)
    assert str(model.id) == identifier and model.healthchecks.readiness_probe.type.http.port == 80, model
print("openapi-python-client and datamodel-code-generator: both kinds of jobs")
