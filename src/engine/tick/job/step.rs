//! From the row of a run of a job to the step that its runner executes.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use entity::registry::RegistryKind;
use entity::run;
use entity::run::Event;
use entity::run_spec::BuildSpec;
use entity::variable::VariableKind;
use entity::{cluster, environment, job, registry};
use uuid::Uuid;

use super::super::prepared::{Impossible, Prepared, step_name};
use super::kept_variables::seen;
use super::pod::{dress, withdraws};
use super::subject::JobSubject;
use crate::app::App;
use crate::engine::masking::patterns;
use crate::engine::variables::{Resolved, Scope, Surroundings, Variable, built_in, resolve};
use crate::error::{Error, Result};
use crate::git;
use crate::git::Wanted;
use crate::registry_client::{self, Login};
use crate::runner::{Build, Credentials, Dockerfile, Image, StepFile, StepSpec, Target};
use crate::secret::{self, Secret};
use crate::store;

/// What a run needs to be executed.
pub(in crate::engine) async fn step(
    app: &App,
    run: &run::Model,
    kind: Target,
    now: DateTime<Utc>,
) -> Result<Result<Prepared, Impossible>> {
    let gone = || Error::internal(format!("run {} has lost its job", run.id));
    let job = store::job::by_id(&app.db, run.job_id.ok_or_else(gone)?).await?.ok_or_else(gone)?;
    let environment = store::environment::by_id(&app.db, job.environment_id).await?.ok_or_else(gone)?;
    let cluster = store::environment::cluster_of(&app.db, &environment).await?;
    let of = JobSubject { job: &job, environment: &environment, cluster: &cluster };
    let mut delivered = delivered(app, run, of).await?;
    let (image, build) = match &run.spec.build {
        Some(spec) => (None, Some(build(app, &job, spec, &mut delivered).await?)),
        // What is taken away needs no image.
        None if run.event == Event::Apply && withdraws(of) => (None, None),
        None => match image(app, run).await? {
            Ok(image) => (Some(image), None),
            Err(impossible) => return Ok(Err(impossible)),
        },
    };
    if matches!(kind, Target::Kubernetes(_)) && image.as_ref().is_some_and(|image| image.local) {
        let text = "its image was built on the engine of the server, and is in no registry that the cluster pulls from";
        return Ok(Err(Impossible(text.into())));
    }
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
        pod: None,
    };
    let masks = patterns(delivered.secrets.iter().map(String::as_str));
    let step = match kind {
        Target::Kubernetes(_) => match dress(app, run, of, step, now).await? {
            Ok(step) => step,
            Err(impossible) => return Ok(Err(impossible)),
        },
        Target::Docker | Target::Process => step,
    };
    Ok(Ok(Prepared { step, masks }))
}

/// What is to be masked in the log of a run that its cluster has started by itself.
pub(in crate::engine) async fn masks(app: &App, run: &run::Model, job: &job::Model) -> Result<Vec<String>> {
    let gone = || Error::internal(format!("job {} has lost its environment", job.id));
    let environment = store::environment::by_id(&app.db, job.environment_id).await?.ok_or_else(gone)?;
    let cluster = store::environment::cluster_of(&app.db, &environment).await?;
    let delivered = delivered(app, run, JobSubject { job, environment: &environment, cluster: &cluster }).await?;
    Ok(patterns(delivered.secrets.iter().map(String::as_str)))
}

/// The variables and files of a run.
async fn delivered(app: &App, run: &run::Model, of: JobSubject<'_>) -> Result<Delivered> {
    let mut variables = seen(app, of.environment, of.job).await?;
    let built_in = built_in(&surroundings(run, of.job, of.environment, of.cluster)).into_iter();
    // What a CronJob starts is a run of its own, which is not known yet.
    let fits = |(key, _): &(String, String)| run.event != Event::Apply || !key.starts_with("WINDLASS_");
    variables.extend(built_in.filter(fits).map(built_in_variable));
    variables.extend(additions(app, run)?);
    Ok(deliver(&variables))
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
        Some(repository) => git::login::of(app, repository).await?,
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
    let login = registry_client::login(&app.keys, registry)?;
    let server = host.to_owned();
    Ok(Ok(login.map(|Login { username, password }| Credentials { username, password, server })))
}
