"""Tests the generated Python SDK."""

import os
import time
from uuid import UUID

import windlass_sdk as sdk

DEADLINE = 90


def until(what, ask, done):
    """Polls until a value satisfies a condition."""
    end = time.monotonic() + DEADLINE
    while True:
        value = ask()
        if done(value):
            return value
        assert time.monotonic() < end, f"{what}: {value}"
        time.sleep(0.2)


def job(name, registry, schedule):
    image = sdk.JobRequestAllOfSourceImage(image_name="busybox", tag="1.36.1", registry_id=str(registry))
    return sdk.JobRequest(
        name=name,
        healthchecks=sdk.Healthcheck(),
        source=sdk.JobRequestAllOfSource(image=image),
        schedule=schedule,
    )


def main():
    configuration = sdk.Configuration(host=os.environ["WINDLASS_URL"])
    client = sdk.ApiClient(configuration, header_name="Authorization", header_value="Token " + os.environ["WINDLASS_TOKEN"])
    organization = sdk.OrganizationMainCallsApi(client).list_organization().results[0].id
    registries = sdk.ContainerRegistriesApi(client)
    hub = sdk.ContainerRegistryRequest(
        name="hub of Python", kind=sdk.ContainerRegistryKindEnum.DOCKER_HUB, config=sdk.ContainerRegistryRequestConfig()
    )
    registry = registries.create_container_registry(organization, hub).id
    project = sdk.ProjectsApi(client).create_project(organization, sdk.ProjectRequest(name="Python")).id
    environments = sdk.EnvironmentsApi(client)
    environment = environments.create_environment(project, sdk.CreateEnvironmentRequest(name="python")).id

    jobs, main_calls = sdk.JobsApi(client), sdk.JobMainCallsApi(client)
    cronjob = sdk.JobRequestAllOfScheduleCronjob(scheduled_at="*/5 * * * *", timezone="Asia/Tokyo")
    cron = jobs.create_job(environment, job("nightly", registry, sdk.JobRequestAllOfSchedule(cronjob=cronjob)))
    assert isinstance(cron.actual_instance, sdk.CronJobResponse), cron
    read = main_calls.get_job(cron.actual_instance.id).actual_instance
    assert isinstance(read, sdk.CronJobResponse) and isinstance(read.id, UUID), read
    assert read.schedule.cronjob.timezone == "Asia/Tokyo", read
    step = sdk.JobRequestAllOfScheduleOnStart(entrypoint="/bin/true")
    seed = jobs.create_job(environment, job("seed", registry, sdk.JobRequestAllOfSchedule(on_start=step)))
    lifecycle = main_calls.get_job(seed.actual_instance.id).actual_instance
    assert isinstance(lifecycle, sdk.LifecycleJobResponse), lifecycle
    assert lifecycle.schedule.on_start.entrypoint == "/bin/true", lifecycle

    sdk.JobActionsApi(client).deploy_job(lifecycle.id, job_deploy_request=sdk.JobDeployRequest())
    until("deployed", lambda: main_calls.get_job_status(lifecycle.id).state, lambda state: state == sdk.StateEnum.DEPLOYED)
    main_calls.delete_job(read.id)
    try:
        until("deleted", lambda: main_calls.get_job_status(read.id).state, lambda _: False)
    except sdk.exceptions.NotFoundException:
        pass
    sdk.EnvironmentMainCallsApi(client).delete_environment(environment)
    until("deleted", lambda: environments.list_environment(project).results, lambda rows: not rows)
    sdk.ProjectMainCallsApi(client).delete_project(project)
    registries.delete_container_registry(organization, registry)
    print("generated Python SDK: all calls succeeded")


main()
