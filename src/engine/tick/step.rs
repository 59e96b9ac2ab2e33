//! From the row of a run to the step that a runner executes.

use entity::cluster::ClusterKind;
use entity::id::RunId;
use entity::registry::RegistryKind;
use entity::run;
use entity::variable::VariableKind;
use entity::{cluster, environment, registry};
use uuid::Uuid;

use super::variables::seen;
use crate::app::App;
use crate::engine::variables::{Resolved, Scope, Surroundings, Variable, built_in, resolve};
use crate::error::{Error, Result};
use crate::image_registry::{self, Login};
use crate::runner::{Credentials, Image, StepFile, StepSpec};
use crate::secret::Secret;
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
    if cluster.kind == ClusterKind::Kubernetes {
        let text =
            format!("the cluster {} is a Kubernetes cluster, on which this server cannot run jobs yet", cluster.name);
        return Ok(Err(Impossible(text)));
    }
    let image = match image(app, run).await? {
        Ok(image) => image,
        Err(impossible) => return Ok(Err(impossible)),
    };
    let mut variables = seen(app, &environment, &job).await?;
    variables.extend(built_in(&surroundings(run, &job, &environment, &cluster)).into_iter().map(built_in_variable));
    let Delivered { environment: values, files } = deliver(&variables);
    Ok(Ok(StepSpec {
        name: step_name(run.id, run.attempt),
        image: Some(image),
        entrypoint: run.spec.entrypoint.clone(),
        arguments: run.spec.arguments.clone(),
        environment: values,
        files,
        cpu_milli: run.spec.cpu_milli,
        memory_mib: run.spec.memory_mib,
        labels: vec![
            ("windlass.run".into(), run.id.to_string()),
            ("windlass.job".into(), job.id.to_string()),
            ("windlass.environment".into(), environment.id.to_string()),
        ],
    }))
}

fn built_in_variable((key, value): (String, String)) -> Variable {
    Variable {
        id: Uuid::nil(),
        scope: Scope::BuiltIn,
        key,
        kind: VariableKind::BuiltIn,
        is_secret: false,
        value,
        mount_path: None,
        interpolated: false,
        target_id: None,
        target_key: None,
    }
}

struct Delivered {
    environment: Vec<(String, Secret<String>)>,
    files: Vec<StepFile>,
}

/// What the step gets of its variables; several may stand for one file.
fn deliver(variables: &[Variable]) -> Delivered {
    let mut delivered = Delivered { environment: Vec::new(), files: Vec::new() };
    for Resolved { key, value, is_secret: _, content } in resolve(variables) {
        if let Some(content) = content {
            match delivered.files.iter_mut().find(|file| file.path == value) {
                Some(file) => file.variables.push(key.clone()),
                None => delivered.files.push(StepFile {
                    variables: vec![key.clone()],
                    path: value.clone(),
                    content: Secret::new(content),
                }),
            }
        }
        delivered.environment.push((key, Secret::new(value)));
    }
    delivered
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
    if matches!(registry.kind, RegistryKind::Ecr | RegistryKind::AzureCr) {
        let text = "pulling from this kind of registry needs a token of its cloud, which this server does not fetch";
        return Ok(Err(Impossible(text.into())));
    }
    let login = image_registry::login(&app.keys, registry)?;
    let server = host.to_owned();
    Ok(Ok(login.map(|Login { username, password }| Credentials { username, password, server })))
}
