//! What the first start creates: an organization, its token and the cluster `local`; with `--demo` also samples.

use chrono::{DateTime, Utc};
use entity::api_token;
use entity::cluster::{self, ClusterKind};
use entity::deployment::{Action, Origin};
use entity::environment::{self, Mode};
use entity::id::{ClusterId, EnvironmentId, JobId, OrganizationId, RegistryId, TokenId};
use entity::job::{self, JobType};
use entity::job_spec::{Command, Healthchecks, JobSpec, LifecycleType, Schedule, Source};
use entity::member::Role;
use entity::registry::{self, RegistryConfig, RegistryKind};
use entity::{organization, project};
use sea_orm::DatabaseTransaction;

use crate::app::App;
use crate::engine::command;
use crate::engine::requester::Requester;
use crate::engine::template;
use crate::error::{Error, Result};
use crate::secret::{self, Secret};
use crate::store;

/// The name of the cluster that is this machine.
pub const LOCAL: &str = "local";
const DEMO: &str = "demo";

/// What the first start made.
#[derive(Debug)]
pub struct First {
    pub organization: organization::Model,
    /// Shown once.
    pub token: Secret<String>,
}

/// The jobs of the demonstration.
#[derive(Clone, Debug)]
pub struct Demo {
    pub environment: EnvironmentId,
    pub cron: JobId,
    pub lifecycle: JobId,
}

/// A row for a new organization.
#[must_use]
pub fn organization(name: &str, now: DateTime<Utc>) -> organization::Model {
    organization::Model {
        id: OrganizationId::create(),
        created_at: now,
        updated_at: now,
        name: name.to_owned(),
        description: None,
        plan: "FREE".into(),
        website_url: None,
        repository: None,
        logo_url: None,
        icon_url: None,
        admin_emails: None,
        execution_mode: None,
        disabled: false,
        icon: None,
    }
}

/// A row for the cluster that is this machine, as large as the machine is.
#[must_use]
pub fn local_cluster(organization_id: OrganizationId, now: DateTime<Utc>) -> cluster::Model {
    cluster::Model {
        id: ClusterId::create(),
        organization_id,
        created_at: now,
        updated_at: now,
        name: LOCAL.into(),
        description: Some("the machine that the server runs on".into()),
        region: LOCAL.into(),
        kind: ClusterKind::Local,
        is_default: true,
        maximum_cpu_milli: cores().saturating_mul(1000),
        maximum_memory_mib: memory_mib(),
        kubeconfig: None,
        production: false,
        settings: None,
    }
}

/// A row for a new token, and the token itself.
///
/// # Errors
/// When the operating system has no random bytes.
pub fn token(
    organization_id: OrganizationId,
    name: &str,
    role: Role,
    now: DateTime<Utc>,
) -> Result<(api_token::Model, Secret<String>)> {
    let token = secret::new_token()?;
    let row = api_token::Model {
        id: TokenId::create(),
        organization_id,
        created_at: now,
        updated_at: now,
        name: name.to_owned(),
        description: None,
        role,
        custom_role_id: None,
        hash: secret::TokenHash::of(token.expose()).stored(),
    };
    Ok((row, token))
}

/// Gives an organization the templates that every one begins with, unless it has templates or workspaces already.
///
/// # Errors
/// The database's.
pub async fn templates(tx: &DatabaseTransaction, organization: OrganizationId, now: DateTime<Utc>) -> Result<()> {
    if store::workspace::is_furnished(tx, organization).await? {
        return Ok(());
    }
    for one in template::DEFAULTS {
        let row = entity::template::Model {
            id: entity::id::TemplateId::create(),
            organization_id: organization,
            created_at: now,
            updated_at: now,
            created_by: "windlass".into(),
            updated_by: "windlass".into(),
            name: one.name.into(),
            description: Some(one.description.into()),
            version: Some("1.0.0".into()),
            tcl: one.stored(),
        };
        store::row::create(tx, row).await?;
    }
    Ok(())
}

/// Gives all organizations the templates that every one begins with: older versions knew of none.
///
/// # Errors
/// The database's.
pub async fn furnish(app: &App) -> Result<()> {
    let now = app.clock.now();
    store::write(&app.db, async |tx| {
        store::lock_installation(tx).await?;
        for organization in store::organization::list(tx).await? {
            templates(tx, organization.id, now).await?;
        }
        Ok(())
    })
    .await
}

/// Creates the first organization with a token; none when there is an organization already.
///
/// # Errors
/// The database's.
pub async fn first(app: &App) -> Result<Option<First>> {
    let now = app.clock.now();
    let (name, rows) = ("windlass", organization("windlass", now));
    let local = local_cluster(rows.id, now);
    let (token_row, token) = token(rows.id, "first", Role::Admin, now)?;
    store::write(&app.db, async |tx| {
        store::lock_installation(tx).await?;
        if !store::organization::list(tx).await?.is_empty() {
            return Ok::<_, Error>(None);
        }
        tracing::info!(name, "creating the first organization");
        let organization = store::organization::create(tx, rows).await?;
        store::cluster::create(tx, local).await?;
        store::token::create(tx, token_row).await?;
        templates(tx, organization.id, now).await?;
        Ok(Some(First { organization, token }))
    })
    .await
}

/// The samples: a project, an environment, a registry, a CRON and a LIFECYCLE job, created and deployed when they
/// are not there.
///
/// # Errors
/// The database's.
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
    let by = Requester { name: "windlass serve --demo".into(), origin: Origin::Cli, user_agent: None };
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
            let row = project::Model::new(organization.id, DEMO, "samples of windlass serve --demo".into(), now);
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
        command: script("echo \"hello from $QOVERY_ENVIRONMENT_NAME, for $WINDLASS_SCHEDULED_FOR\"; date"),
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
    let (job_type, icon) = match schedule {
        Schedule::Cron { .. } => (JobType::Cron, "app://qovery-console/cron-job"),
        Schedule::Lifecycle { .. } => (JobType::Lifecycle, "app://qovery-console/lifecycle-job"),
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
    job::Model {
        id: JobId::create(),
        organization_id: environment.organization_id,
        environment_id: environment.id,
        created_at: now,
        updated_at: now,
        name: name.into(),
        name_key: entity::name_key(name),
        job_type,
        registry_id: Some(registry_id),
        git_token_id: None,
        spec,
        deployed: None,
        failures_cleared_at: None,
        deployed_at: None,
        variables_changed_at: None,
        built: None,
        applied: None,
        drifted_at: None,
    }
}

fn cores() -> i32 {
    std::thread::available_parallelism().ok().and_then(|cores| i32::try_from(cores.get()).ok()).unwrap_or(1)
}

/// The memory of the machine, in MiB; where that is not known, an amount that no machine exceeds.
fn memory_mib() -> i32 {
    let text = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    let kib = line.and_then(|rest| rest.trim().trim_end_matches("kB").trim().parse::<i64>().ok());
    kib.and_then(|kib| i32::try_from(kib / 1024).ok()).unwrap_or(i32::MAX)
}

/// What the server prints when it starts.
#[must_use]
pub fn greeting(address: std::net::SocketAddr, first: Option<&First>, demo: Option<&Demo>) -> String {
    let url = format!("http://{address}");
    let mut lines = vec![format!("Windlass listens on {url} (API reference: {url}/docs)")];
    match first {
        Some(First { organization, token }) => {
            lines.push(format!("Created the organization {} ({}).", organization.name, organization.id));
            lines.push("Its API token, shown this once:".into());
            lines.push(String::new());
            lines.push(format!("  export TOKEN={}", token.expose()));
        }
        None => lines.push("For another API token: windlass token create --name NAME".into()),
    }
    if let Some(Demo { environment, cron, lifecycle }) = demo {
        let get = |path: String| format!("  curl -sH \"Authorization: Token $TOKEN\" {url}{path}");
        lines.push(String::new());
        lines.push("Try, in another terminal, after the export above:".into());
        lines.push(String::new());
        lines.push("  # a CRON job that runs every minute, and a LIFECYCLE job that ran when it was deployed".into());
        lines.push(get(format!("/job/{cron}")));
        lines.push(get(format!("/job/{lifecycle}")));
        lines.push("  # when it runs next, what ran, and the log of the newest run".into());
        lines.push(get(format!("/job/{cron}/nextRun")));
        lines.push(get(format!("/job/{cron}/run")));
        let newest = format!(
            "$({} | grep -o '\"id\":\"[^\"]*' | head -n 1 | cut -d '\"' -f 4)",
            get(format!("/job/{lifecycle}/run")).trim()
        );
        lines.push(get(format!("/run/{newest}/log")));
        lines.push("  # why it did, or did not, run in this minute".into());
        lines.push(get(format!("/job/{cron}/explain")));
        lines.push("  # run it now, once as a deployment and once beside it, and see how everything is".into());
        lines.push(format!(
            "  curl -sXPOST -H \"Authorization: Token $TOKEN\" \"{url}/job/{cron}/deploy?forceEvent=CRON\""
        ));
        lines.push(format!("  curl -sXPOST -H \"Authorization: Token $TOKEN\" -d '{{}}' {url}/job/{cron}/run"));
        lines.push(get(format!("/environment/{environment}/statuses")));
        lines.push(
            "  # the second face: what Terraform workspaces are run with (a whole run: docs/clients/terrakube.md)"
                .into(),
        );
        lines.push(get("/api/v1/template".into()));
    }
    lines.push(String::new());
    lines.join("\n")
}
