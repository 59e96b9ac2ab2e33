//! The sample jobs of `serve --demo`, created and deployed once.

use chrono::{DateTime, Utc};
use entity::cluster::{self};
use entity::deployment::{Action, Origin};
use entity::environment::{self, Mode};
use entity::id::{EnvironmentId, JobId, RegistryId};
use entity::job;
use entity::job_spec::JobType;
use entity::job_spec::{Command, Healthchecks, JobSpec, LifecycleType, Schedule, Source};
use entity::registry::{self, RegistryConfig, RegistryKind};
use entity::{organization, project};
use sea_orm::DatabaseTransaction;

use crate::app::App;
use crate::engine::command;
use crate::engine::requester::Requester;
use crate::error::{Error, Result};
use crate::store;

const DEMO: &str = "demo";

/// The sample jobs.
#[derive(Clone, Debug)]
pub struct Demo {
    pub environment: EnvironmentId,
    pub cron: JobId,
    pub lifecycle: JobId,
}

/// Creates and deploys the samples, unless they are present: a project, an environment, a registry, a CRON and a
/// LIFECYCLE job.
///
/// # Errors
/// A database error.
pub async fn demo(app: &App) -> Result<Demo> {
    let organization = store::organization::list(&app.db).await?.into_iter().next();
    let organization = organization.ok_or_else(|| Error::internal("there is no organization"))?;
    let projects = store::project::list_by_organization(&app.db, organization.id).await?;
    if let Some(project) = projects.iter().find(|project| project.name == DEMO)
        && let Some(found) = find(app, project).await?
    {
        return Ok(found);
    }
    let cluster = store::cluster::list_by_organization(&app.db, organization.id).await?.into_iter().next();
    let cluster = cluster.ok_or_else(|| Error::internal("the organization has no cluster"))?;
    let now = app.clock.now();
    let project = projects.into_iter().find(|project| project.name == DEMO);
    let demo = store::write(&app.db, async |tx| create(tx, &organization, project, &cluster, now).await).await?;
    let by = Requester { name: "windlass serve --demo".into(), email: None, origin: Origin::Cli, user_agent: None };
    command::request_environment(app, &by, demo.environment, Action::Deploy).await?;
    Ok(demo)
}

async fn find(app: &App, project: &project::Model) -> Result<Option<Demo>> {
    let environments = store::environment::list_by_project(&app.db, project.id).await?;
    let Some(environment) = environments.into_iter().find(|row| row.name == DEMO) else { return Ok(None) };
    let jobs = store::job::list_by_environment(&app.db, environment.id, None, store::PAGE).await?;
    let of = |job_type| jobs.iter().find(|job| job.job_type == job_type).map(|job| job.id);
    let found = of(JobType::Cron).zip(of(JobType::Lifecycle));
    Ok(found.map(|(cron, lifecycle)| Demo { environment: environment.id, cron, lifecycle }))
}

async fn create(
    tx: &DatabaseTransaction,
    organization: &organization::Model,
    project: Option<project::Model>,
    cluster: &cluster::Model,
    now: DateTime<Utc>,
) -> Result<Demo> {
    let project = match project {
        Some(project) => project,
        None => {
            let row = project::Model::new(organization.id, DEMO, "samples from windlass serve --demo".into(), now);
            store::project::create(tx, row).await?
        }
    };
    let environment = environment::Model::new(&project, cluster.id, DEMO, Mode::Development, now);
    let environment = store::environment::create(tx, environment).await?;
    store::stage::create_defaults(tx, environment.id, now).await?;
    let registry = registry::Model {
        id: RegistryId::create(),
        organization_id: organization.id,
        created_at: now,
        updated_at: now,
        name: "Docker Hub".into(),
        description: None,
        kind: RegistryKind::DockerHub,
        url: "https://docker.io".into(),
        config: RegistryConfig::default(),
        credentials: None,
    };
    let registry = store::registry::create(tx, registry).await?;
    let script =
        |text: &str| Command { entrypoint: Some("/bin/sh".into()), arguments: Some(vec!["-c".into(), text.into()]) };
    let cron = Schedule::Cron {
        scheduled_at: "* * * * *".into(),
        timezone: "Etc/UTC".into(),
        command: script(
            "echo \"hello from $QOVERY_ENVIRONMENT_NAME${WINDLASS_SCHEDULED_FOR:+, for $WINDLASS_SCHEDULED_FOR}\"; date",
        ),
    };
    let lifecycle = Schedule::Lifecycle {
        on_start: Some(script("echo \"the environment starts\"; sleep 1; echo ready")),
        on_stop: Some(script("echo \"the environment stops\"")),
        on_delete: None,
        lifecycle_type: LifecycleType::Generic,
    };
    let cron = job(&environment, registry.id, "every minute", cron, now);
    let lifecycle = job(&environment, registry.id, "with the environment", lifecycle, now);
    let demo = Demo { environment: environment.id, cron: cron.id, lifecycle: lifecycle.id };
    store::job::create(tx, cron).await?;
    store::job::create(tx, lifecycle).await?;
    Ok(demo)
}

fn job(
    environment: &environment::Model,
    registry_id: RegistryId,
    name: &str,
    schedule: Schedule,
    now: DateTime<Utc>,
) -> job::Model {
    let icon = match schedule {
        Schedule::Cron { .. } => "app://qovery-console/cron-job",
        Schedule::Lifecycle { .. } | Schedule::Check { .. } => "app://qovery-console/lifecycle-job",
    };
    let spec = JobSpec {
        description: "a sample".into(),
        cpu_milli: 250,
        memory_mib: 64,
        gpu: 0,
        ephemeral_storage_gib: None,
        cpu_architecture: None,
        max_nb_restart: 0,
        max_duration_seconds: 50,
        auto_preview: false,
        auto_deploy: false,
        port: None,
        icon_uri: icon.into(),
        healthchecks: Healthchecks::default(),
        source: Source::Image { image_name: "library/busybox".into(), tag: "1.36.1".into(), registry_id },
        schedule,
        annotations_groups: Vec::new(),
        labels_groups: Vec::new(),
        settings: std::collections::BTreeMap::new(),
    };
    job::Model::new(environment, name, spec, now)
}
