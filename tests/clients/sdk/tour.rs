//! Tests the generated Rust SDK.

use std::time::Duration;

use windlass_sdk::apis::configuration::{ApiKey, Configuration};
use windlass_sdk::apis::{
    container_registries_api, environment_main_calls_api, environments_api, job_actions_api, job_main_calls_api,
    jobs_api, organization_main_calls_api, project_main_calls_api, projects_api,
};
use windlass_sdk::models::{
    ContainerRegistryKindEnum, ContainerRegistryRequest, ContainerRegistryRequestConfig, CreateEnvironmentRequest,
    JobDeployRequest, JobRequest, JobRequestAllOfSchedule, JobRequestAllOfScheduleCronjob,
    JobRequestAllOfScheduleOnStart, JobRequestAllOfSource, JobRequestAllOfSourceImage, JobResponse, ProjectRequest,
    StateEnum,
};

type Failure = Box<dyn std::error::Error>;

fn job(name: &str, registry: &str, schedule: JobRequestAllOfSchedule) -> JobRequest {
    let image = JobRequestAllOfSourceImage {
        image_name: Some("busybox".into()),
        tag: Some("1.36.1".into()),
        registry_id: Some(registry.parse().expect("a valid ID")),
        ..JobRequestAllOfSourceImage::new()
    };
    let source = JobRequestAllOfSource { image: Some(Some(Box::new(image))), ..JobRequestAllOfSource::new() };
    JobRequest { source: Some(Box::new(source)), schedule: Some(Box::new(schedule)), ..JobRequest::new(name.into()) }
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let configuration = Configuration {
        base_path: std::env::var("WINDLASS_URL")?,
        api_key: Some(ApiKey { prefix: Some("Token".into()), key: std::env::var("WINDLASS_TOKEN")? }),
        ..Configuration::new()
    };
    let at = &configuration;
    let organizations = organization_main_calls_api::list_organization(at).await?.results.unwrap_or_default();
    let organization = organizations[0].id.to_string();
    let hub = ContainerRegistryRequest::new(
        "hub of Rust".into(),
        ContainerRegistryKindEnum::DockerHub,
        ContainerRegistryRequestConfig::new(),
    );
    let registry = container_registries_api::create_container_registry(at, &organization, hub).await?.id.to_string();
    let project = projects_api::create_project(at, &organization, ProjectRequest::new("Rust".into())).await?.id;
    let project = project.to_string();
    let request = CreateEnvironmentRequest::new("rust".into());
    let environment = environments_api::create_environment(at, &project, request).await?.id.to_string();

    let cronjob = JobRequestAllOfScheduleCronjob::new("*/5 * * * *".into());
    let schedule = JobRequestAllOfSchedule { cronjob: Some(Box::new(cronjob)), ..JobRequestAllOfSchedule::new() };
    let created = jobs_api::create_job(at, &environment, job("nightly", &registry, schedule)).await?;
    let JobResponse::Cron(cron) = created else { return Err("a CRON job has another type".into()) };
    let JobResponse::Cron(read) = job_main_calls_api::get_job(at, &cron.id.to_string()).await? else {
        return Err("a CRON job has another type".into());
    };
    assert_eq!((read.name.as_str(), read.schedule.cronjob.scheduled_at.as_str()), ("nightly", "*/5 * * * *"));

    let step = JobRequestAllOfScheduleOnStart {
        entrypoint: Some("/bin/true".into()),
        ..JobRequestAllOfScheduleOnStart::new()
    };
    let schedule = JobRequestAllOfSchedule { on_start: Some(Box::new(step)), ..JobRequestAllOfSchedule::new() };
    let created = jobs_api::create_job(at, &environment, job("seed", &registry, schedule)).await?;
    let JobResponse::Lifecycle(lifecycle) = created else { return Err("a LIFECYCLE job has another type".into()) };
    let id = lifecycle.id.to_string();
    let JobResponse::Lifecycle(read) = job_main_calls_api::get_job(at, &id).await? else {
        return Err("a LIFECYCLE job has another type".into());
    };
    let entrypoint = read.schedule.on_start.and_then(|step| step.entrypoint);
    assert_eq!(entrypoint.as_deref(), Some("/bin/true"));

    job_actions_api::deploy_job(at, &id, None, Some(JobDeployRequest::new())).await?;
    for attempt in 0.. {
        let state = job_main_calls_api::get_job_status(at, &id).await?.state;
        if state == StateEnum::Deployed {
            break;
        }
        assert!(attempt < 300, "timed out waiting for the deployment: {state:?}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    job_main_calls_api::delete_job(at, &cron.id.to_string(), None).await?;
    environment_main_calls_api::delete_environment(at, &environment, None).await?;
    for attempt in 0.. {
        if environments_api::list_environment(at, &project).await?.results.unwrap_or_default().is_empty() {
            break;
        }
        assert!(attempt < 300, "timed out waiting for the deletion of the environment");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    project_main_calls_api::delete_project(at, &project).await?;
    container_registries_api::delete_container_registry(at, &organization, &registry).await?;
    println!("generated Rust SDK: all calls succeeded");
    Ok(())
}
