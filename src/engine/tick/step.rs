//! From the row of a run to the step that a runner executes.

use std::collections::BTreeMap;

use entity::cluster::ClusterKind;
use entity::id::RunId;
use entity::registry::RegistryKind;
use entity::run;
use entity::run::BuildSpec;
use entity::variable::VariableKind;
use entity::{cluster, environment, job, registry};
use uuid::Uuid;

use super::variables::seen;
use crate::app::App;
use crate::engine::masking::patterns;
use crate::engine::variables::{Resolved, Scope, Surroundings, Variable, built_in, resolve};
use crate::error::{Error, Result};
use crate::git;
use crate::image_registry::{self, Login};
use crate::repository::Wanted;
use crate::runner::{Build, Credentials, Dockerfile, Image, StepFile, StepSpec};
use crate::secret::{self, Secret};
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

/// A step, and what is to be masked in its log.
pub(super) struct Prepared {
    pub(super) step: StepSpec,
    pub(super) masks: Vec<String>,
}

/// What a run needs to be executed.
pub(super) async fn step(app: &App, run: &run::Model) -> Result<Result<Prepared, Impossible>> {
    let gone = || Error::internal(format!("run {} has lost its job", run.id));
    let job = store::job::by_id(&app.db, run.job_id.ok_or_else(gone)?).await?.ok_or_else(gone)?;
    let environment = store::environment::by_id(&app.db, job.environment_id).await?.ok_or_else(gone)?;
    let cluster = store::environment::cluster_of(&app.db, &environment).await?;
    if cluster.kind == ClusterKind::Kubernetes {
        let text =
            format!("the cluster {} is a Kubernetes cluster, on which this server cannot run jobs yet", cluster.name);
        return Ok(Err(Impossible(text)));
    }
    let mut variables = seen(app, &environment, &job).await?;
    variables.extend(built_in(&surroundings(run, &job, &environment, &cluster)).into_iter().map(built_in_variable));
    variables.extend(additions(app, run)?);
    let mut delivered = deliver(&variables);
    let (image, build) = match &run.spec.build {
        Some(spec) => (None, Some(build(app, &job, spec, &mut delivered).await?)),
        None => match image(app, run).await? {
            Ok(image) => (Some(image), None),
            Err(impossible) => return Ok(Err(impossible)),
        },
    };
    let step = StepSpec {
        name: step_name(run.id, run.attempt),
        image,
        entrypoint: run.spec.entrypoint.clone(),
        arguments: run.spec.arguments.clone(),
        environment: delivered.environment,
        files: delivered.files,
        cpu_milli: run.spec.cpu_milli,
        memory_mib: run.spec.memory_mib,
        labels: vec![
            ("windlass.run".into(), run.id.to_string()),
            ("windlass.job".into(), job.id.to_string()),
            ("windlass.environment".into(), environment.id.to_string()),
        ],
        read_only_root: run.spec.read_only_root,
        leave: Some(app.fence.leave(&app.clock)),
        build,
        source: None,
        interrupt: false,
    };
    Ok(Ok(Prepared { step, masks: patterns(delivered.secrets.iter().map(String::as_str)) }))
}

/// The variables that the caller gave this run; nothing is narrower.
fn additions(app: &App, run: &run::Model) -> Result<Vec<Variable>> {
    let Some(sealed) = &run.additions else { return Ok(Vec::new()) };
    let opened = app.keys.open(&secret::place("run_additions", run.id.0), sealed)?;
    let given: BTreeMap<String, String> =
        serde_json::from_slice(opened.expose()).map_err(|_| Error::internal("kept additions are not JSON"))?;
    let variable =
        |(key, value)| Variable { scope: Scope::Run, kind: VariableKind::Value, ..built_in_variable((key, value)) };
    Ok(given.into_iter().map(variable).collect())
}

/// Switches the cache off where a job has this variable (name of the official API).
const NO_CACHE: &str = "QOVERY_DISABLE_BUILD_CACHE";

/// What is to be built. All that the job sees are arguments of the build, but for what changes with every run.
async fn build(app: &App, job: &job::Model, spec: &BuildSpec, delivered: &mut Delivered) -> Result<Build> {
    let login = match &spec.git_repository {
        Some(repository) => git::login(app, repository).await?,
        None => None,
    };
    delivered.secrets.extend(login.iter().map(|login| login.token.expose().clone()));
    let cache = !delivered.environment.iter().any(|(key, value)| key == NO_CACHE && value.expose() == "true");
    let fleeting = [NO_CACHE, "QOVERY_DEPLOYMENT_ID", "QOVERY_JOB_ACTION"];
    let stays = |key: &String| !fleeting.contains(&key.as_str()) && !key.starts_with("WINDLASS_");
    let arguments = delivered.environment.iter().filter(|(key, _)| stays(key)).cloned().collect();
    let root_path = spec.git_repository.as_ref().map_or_else(|| "/".to_owned(), |source| source.root_path.clone());
    Ok(Build {
        image: format!("windlass-build/{}", job.id),
        source: spec.git_repository.as_ref().map(|repository| Wanted {
            url: repository.url.clone(),
            branch: repository.branch.clone(),
            commit: spec.commit_id.clone(),
            submodules: spec.submodules,
            login,
            key: None,
            local: false,
        }),
        root_path,
        dockerfile: match (&spec.dockerfile_raw, &spec.dockerfile_path) {
            (Some(text), _) => Dockerfile::Text(text.clone()),
            (None, path) => Dockerfile::Path(path.clone().unwrap_or_else(|| "Dockerfile".into())),
        },
        target_stage: spec.target_stage.clone(),
        arguments,
        cache: cache && spec.cache,
    })
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
    /// The secret ones among the values and files.
    secrets: Vec<String>,
}

/// What the step gets of its variables; several may stand for one file.
fn deliver(variables: &[Variable]) -> Delivered {
    let mut delivered = Delivered { environment: Vec::new(), files: Vec::new(), secrets: Vec::new() };
    for Resolved { key, value, is_secret, content } in resolve(variables) {
        if is_secret {
            delivered.secrets.push(content.clone().unwrap_or_else(|| value.clone()));
        }
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
    if let Some(reference) = &spec.built_image {
        return Ok(Ok(Image { reference: reference.clone(), credentials: None, local: true }));
    }
    let (Some(name), Some(tag), Some(id)) = (&spec.image_name, &spec.image_tag, spec.registry_id) else {
        return Ok(Err(Impossible("its image was never built; deploy the job to build it".into())));
    };
    let Some(registry) = store::registry::by_id(&app.db, id).await? else {
        return Ok(Err(Impossible("the registry of the image was deleted".into())));
    };
    let host = registry.url.trim_start_matches("https://").trim_end_matches('/').to_owned();
    let credentials = match credentials(app, &registry, &host)? {
        Ok(credentials) => credentials,
        Err(impossible) => return Ok(Err(impossible)),
    };
    Ok(Ok(Image { reference: format!("{host}/{name}:{tag}"), credentials, local: false }))
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
