//! From the row of a run to the step that a runner executes.

use entity::id::RunId;
use entity::registry::{RegistryConfig, RegistryKind};
use entity::run;
use entity::{cluster, environment, registry};
use serde_json::Value;

use crate::app::App;
use crate::engine::variables::{Surroundings, built_in};
use crate::error::{Error, Result};
use crate::runner::{Credentials, Image, StepSpec};
use crate::secret::{Secret, registry_place};
use crate::store;

const PREFIX: &str = "windlass-";

/// The name of a run's attempt on a runner: the same whenever the same attempt is meant.
#[must_use]
pub fn step_name(id: RunId, attempt: i32) -> String {
    format!("{PREFIX}{id}-{attempt}")
}

/// The run that a step belongs to.
pub(super) fn run_of(step: &str) -> Option<RunId> {
    let rest = step.strip_prefix(PREFIX)?;
    let id = rest.get(..36)?;
    id.parse().ok().map(RunId)
}

/// Why a run can never be started; the text is for its reader.
pub(super) struct Impossible(pub(super) String);

/// What a run needs to be executed.
pub(super) async fn step(app: &App, run: &run::Model) -> Result<Result<StepSpec, Impossible>> {
    let gone = || Error::internal(format!("run {} has lost its job", run.id));
    let job = store::job::by_id(&app.db, run.job_id.ok_or_else(gone)?).await?.ok_or_else(gone)?;
    let environment = store::environment::by_id(&app.db, job.environment_id).await?.ok_or_else(gone)?;
    let cluster = store::environment::cluster_of(&app.db, &environment).await?;
    let image = match image(app, run).await? {
        Ok(image) => image,
        Err(impossible) => return Ok(Err(impossible)),
    };
    let variables = built_in(&surroundings(run, &job, &environment, &cluster));
    Ok(Ok(StepSpec {
        name: step_name(run.id, run.attempt),
        image: Some(image),
        entrypoint: run.spec.entrypoint.clone(),
        arguments: run.spec.arguments.clone(),
        environment: variables.into_iter().map(|(name, value)| (name, Secret::new(value))).collect(),
        cpu_milli: run.spec.cpu_milli,
        memory_mib: run.spec.memory_mib,
        labels: vec![
            ("windlass.run".into(), run.id.to_string()),
            ("windlass.job".into(), job.id.to_string()),
            ("windlass.environment".into(), environment.id.to_string()),
        ],
    }))
}

fn surroundings<'a>(
    run: &'a run::Model,
    job: &entity::job::Model,
    environment: &'a environment::Model,
    cluster: &'a cluster::Model,
) -> Surroundings<'a> {
    Surroundings {
        project_id: environment.project_id,
        environment_id: environment.id,
        environment_name: &environment.name,
        mode: environment.mode,
        cluster_name: &cluster.name,
        region: &cluster.region,
        job_id: job.id,
        run_id: run.id,
        attempt: run.attempt,
        deployment_id: run.deployment_id,
        event: run.event,
        image_tag: run.spec.image_tag.as_deref(),
        scheduled_for: run.scheduled_for,
    }
}

async fn image(app: &App, run: &run::Model) -> Result<Result<Image, Impossible>> {
    let spec = &run.spec;
    let (Some(name), Some(tag), Some(id)) = (&spec.image_name, &spec.image_tag, spec.registry_id) else {
        return Ok(Err(Impossible("building an image from a Dockerfile is not supported on this cluster".into())));
    };
    let Some(registry) = store::registry::by_id(&app.db, id).await? else {
        return Ok(Err(Impossible("the registry of the image was deleted".into())));
    };
    let host = registry.url.trim_start_matches("https://").trim_end_matches('/').to_owned();
    let credentials = match credentials(app, &registry, &host)? {
        Ok(credentials) => credentials,
        Err(impossible) => return Ok(Err(impossible)),
    };
    Ok(Ok(Image { reference: format!("{host}/{name}:{tag}"), credentials }))
}

fn credentials(app: &App, registry: &registry::Model, host: &str) -> Result<Result<Option<Credentials>, Impossible>> {
    let secrets = match &registry.credentials {
        None => Value::Null,
        Some(sealed) => {
            let opened = app.keys.open(&registry_place(registry.id.0), sealed)?;
            serde_json::from_slice(opened.expose()).map_err(|_| Error::internal("sealed credentials are not JSON"))?
        }
    };
    let secret = |key: &str| secrets.get(key).and_then(Value::as_str).map(|text| Secret::new(text.to_owned()));
    let RegistryConfig { username, .. } = &registry.config;
    let login = match registry.kind {
        RegistryKind::ScalewayCr => Some("nologin".to_owned()).zip(secret("scaleway_secret_key")),
        RegistryKind::GcpArtifactRegistry => Some("_json_key".to_owned()).zip(secret("json_credentials")),
        RegistryKind::Ecr | RegistryKind::AzureCr => {
            let text =
                "pulling from this kind of registry needs a token of its cloud, which this server does not fetch";
            return Ok(Err(Impossible(text.into())));
        }
        _ => username.clone().zip(secret("password")),
    };
    Ok(Ok(login.map(|(username, password)| Credentials { username, password, server: host.to_owned() })))
}
