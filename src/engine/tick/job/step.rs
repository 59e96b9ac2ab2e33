//! Turns the row of a job's run into the step that its runner executes.

use std::borrow::Cow;
use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use entity::id::OrganizationId;
use entity::registry::RegistryKind;
use entity::run;
use entity::run::Event;
use entity::run_spec::{BuildSpec, ProcessSpec, image_reference};
use entity::variable::VariableKind;
use entity::{cluster, environment, job, registry};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::super::prepared::{Impossible, Prepared, step_name};
use super::pod::{with_pod_options, withdraws};
use super::subject::JobSubject;
use super::variable_snapshot::for_run;
use crate::app::App;
use crate::engine::masking::texts;
use crate::engine::variables::built_in::{self, RunContext};
use crate::engine::variables::{ResolvedVariable, Variable, VariableScope, hides_file, resolve};
use crate::error::{Error, Result};
use crate::git;
use crate::git::Checkout;
use crate::registry_client::{self, Login};
use crate::runner::built_name;
use crate::runner::{Build, Credentials, Dockerfile, Image, ProcessOptions, StepFile, StepSpec, Target};
use crate::secret::{self, Secret};
use crate::store;
use crate::store::job::RunSubject;

/// Everything that a runner needs to execute a run.
pub(in crate::engine) async fn step(
    app: &App,
    run: &run::Model,
    (kind, subject): (Target, Option<Box<RunSubject>>),
    now: DateTime<Utc>,
) -> Result<Result<Prepared, Impossible>> {
    let gone = || Error::internal(format!("the job of run {} is missing", run.id));
    let subject = match subject {
        Some(subject) => subject,
        None => store::job::run_subject(&app.db, run.job_id.ok_or_else(gone)?).await?.ok_or_else(gone)?,
    };
    let RunSubject { job, environment, cluster, registry, variables } = subject.as_ref();
    let of = JobSubject { job, environment, cluster };
    let mut delivered = delivered(app, run, of, variables.as_deref()).await?;
    // Decided once: a pause may come or end at any time.
    let withdraws = withdraws(app, run, of).await?;
    let (image, build) = match &run.spec.build {
        Some(spec) => match build(app, job, spec, &mut delivered).await? {
            Ok(build) => (None, Some(build)),
            Err(impossible) => return Ok(Err(impossible)),
        },
        // Removing a CronJob needs no image.
        None if withdraws => (None, None),
        None if run.spec.no_image && matches!(kind, Target::Process | Target::Agent(_)) => (None, None),
        None => match image(app, run, (job.organization_id, registry.as_ref())).await? {
            Ok(image) => (Some(image), None),
            Err(impossible) => return Ok(Err(impossible)),
        },
    };
    if matches!(kind, Target::Kubernetes(_) | Target::Agent(_)) && image.as_ref().is_some_and(|image| image.local) {
        let text = "the image was built on the server's engine and is in no registry that the cluster can pull from";
        return Ok(Err(Impossible(text.into())));
    }
    // A variable may be older than the rule for its path.
    let hidden = delivered.files.iter().find_map(|file| Some((&file.path, hides_file(&file.path)?)));
    if let (Target::Docker | Target::Agent(_), Some((path, reason))) = (kind, hidden) {
        return Ok(Err(Impossible(format!("the path of the file {path} {reason}"))));
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
        permit: Some(app.fence.permit(&app.clock)),
        build,
        source: None,
        interrupt: false,
        process: process_options(&run.spec.process),
        pod: None,
        tool: None,
    };
    let masks = texts(delivered.secrets.iter().map(String::as_str));
    let step = match kind {
        Target::Kubernetes(_) => match with_pod_options(app, run, of, (step, withdraws), now).await? {
            Ok(step) => step,
            Err(impossible) => return Ok(Err(impossible)),
        },
        Target::Docker | Target::Process | Target::Agent(_) => step,
    };
    Ok(Ok(Prepared { step, masks }))
}

fn process_options(spec: &ProcessSpec) -> ProcessOptions {
    let ProcessSpec { home, path, working_folder, user } = spec.clone();
    let given = |text: String| Some(text).filter(|text| !text.is_empty());
    let (home, path, working_folder, user) = (given(home), given(path), given(working_folder), given(user));
    ProcessOptions { home, path, working_folder, user, kept: None }
}

/// The secrets to mask in the log of a run that a CronJob started.
pub(in crate::engine) async fn masks(app: &App, run: &run::Model, job: &job::Model) -> Result<Zeroizing<Vec<String>>> {
    let gone = || Error::internal(format!("the environment of job {} is missing", job.id));
    let subject = store::job::run_subject(&app.db, job.id).await?.ok_or_else(gone)?;
    let of = JobSubject { job, environment: &subject.environment, cluster: &subject.cluster };
    let delivered = delivered(app, run, of, subject.variables.as_deref()).await?;
    Ok(texts(delivered.secrets.iter().map(String::as_str)))
}

/// The variables and files of a run.
async fn delivered(app: &App, run: &run::Model, of: JobSubject<'_>, stored: Option<&[u8]>) -> Result<StepVariables> {
    let mut variables = for_run(app, run, of, stored).await?;
    let built_in = built_in::for_run(&surroundings(run, of.job, of.environment, of.cluster)).into_iter();
    // The runs that a CronJob starts have no ids yet.
    let fits = |(key, _): &(String, String)| run.event != Event::Apply || !key.starts_with("WINDLASS_");
    variables.extend(built_in.filter(fits).map(built_in_variable));
    variables.extend(additions(app, run)?);
    Ok(deliver(&variables))
}

/// The variables given for this run only, which override all others.
fn additions(app: &App, run: &run::Model) -> Result<Vec<Variable>> {
    let Some(sealed) = &run.additions else { return Ok(Vec::new()) };
    let opened = app.keys.open(&secret::place("run_additions", run.id.0), sealed)?;
    let given: BTreeMap<String, String> =
        serde_json::from_slice(opened.expose()).map_err(|_| Error::internal("stored run variables are not JSON"))?;
    let variable = |(key, value)| Variable {
        scope: VariableScope::Run,
        kind: VariableKind::Value,
        is_secret: run.spec.secret_additions.contains(&key),
        ..built_in_variable((key, value))
    };
    Ok(given.into_iter().map(variable).collect())
}

/// A job with this variable is built without the cache (defined by the official API).
const NO_CACHE: &str = "QOVERY_DISABLE_BUILD_CACHE";

/// The image to build. All variables of the job are build arguments, except those that change with every run.
async fn build(
    app: &App,
    job: &job::Model,
    spec: &BuildSpec,
    delivered: &mut StepVariables,
) -> Result<Result<Build, Impossible>> {
    let login = match &spec.git_repository {
        Some(repository) => match git::login::of_repository(app, job.organization_id, repository).await? {
            Ok(login) => login,
            Err(reason) => return Ok(Err(Impossible(format!("the git token of the job: {reason}")))),
        },
        None => None,
    };
    delivered.secrets.extend(login.iter().map(|login| login.token.expose().clone()));
    let cache = !delivered.environment.iter().any(|(key, value)| key == NO_CACHE && value.expose() == "true");
    let fleeting = [NO_CACHE, "QOVERY_DEPLOYMENT_ID", "QOVERY_JOB_ACTION"];
    let stays = |key: &String| !fleeting.contains(&key.as_str()) && !key.starts_with("WINDLASS_");
    let arguments = delivered.environment.iter().filter(|(key, _)| stays(key)).cloned().collect();
    let root_path = spec.git_repository.as_ref().map_or_else(|| "/".to_owned(), |source| source.root_path.clone());
    Ok(Ok(Build {
        image: built_name::image_name(&tenant(app, job.organization_id)?, &job.id.to_string()),
        source: spec.git_repository.as_ref().map(|repository| Checkout {
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
    }))
}

fn built_in_variable((key, value): (String, String)) -> Variable {
    Variable {
        id: Uuid::nil(),
        scope: VariableScope::BuiltIn,
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

/// The variables and files of a step.
struct StepVariables {
    environment: Vec<(String, Secret<String>)>,
    files: Vec<StepFile>,
    /// The secret values and file contents.
    secrets: Zeroizing<Vec<String>>,
}

/// Resolves variables into environment variables and files; several variables may share a file.
fn deliver(variables: &[Variable]) -> StepVariables {
    let mut delivered = StepVariables { environment: Vec::new(), files: Vec::new(), secrets: Zeroizing::default() };
    for ResolvedVariable { key, value, is_secret, content } in resolve(variables) {
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
) -> RunContext<'a> {
    RunContext {
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

/// The part of the names of built images that is known only inside their organization.
fn tenant(app: &App, id: OrganizationId) -> Result<String> {
    app.keys.secret_name(&secret::place("organization", id.0))
}

/// The image of a run. `of_job` is the registry that its job has now; the run may have another one.
async fn image(
    app: &App,
    run: &run::Model,
    (organization, of_job): (OrganizationId, Option<&registry::Model>),
) -> Result<Result<Image, Impossible>> {
    let spec = &run.spec;
    if let Some(reference) = &spec.built_image {
        return Ok(Ok(Image { reference: reference.clone(), credentials: None, local: true }));
    }
    if spec.no_image {
        return Ok(Err(Impossible("the job has no image; only plain processes need none".into())));
    }
    let (Some(name), Some(tag), Some(id)) = (&spec.image_name, &spec.image_tag, spec.registry_id) else {
        return Ok(Err(Impossible("the image was never built; deploy the job to build it".into())));
    };
    let registry = match of_job {
        Some(registry) if registry.id == id => Some(Cow::Borrowed(registry)),
        _ => store::registry::by_id(&app.db, id).await?.map(Cow::Owned),
    };
    let Some(registry) = registry else {
        return Ok(Err(Impossible("the registry of the image was deleted".into())));
    };
    let host = registry.url.trim_start_matches("https://").trim_end_matches('/').to_owned();
    let reference = format!("{host}/{}", image_reference(name, tag));
    let own = built_name::image_name(&tenant(app, organization)?, "");
    if built_name::is_foreign(&reference, built_name::of_tenant(&own)) {
        return Ok(Err(Impossible(format!("the image {name} was not built for this organization"))));
    }
    let credentials = match credentials(app, organization, &registry, &host)? {
        Ok(credentials) => credentials,
        Err(impossible) => return Ok(Err(impossible)),
    };
    Ok(Ok(Image { reference, credentials, local: false }))
}

fn credentials(
    app: &App,
    organization: OrganizationId,
    registry: &registry::Model,
    host: &str,
) -> Result<Result<Option<Credentials>, Impossible>> {
    if matches!(registry.kind, RegistryKind::Ecr | RegistryKind::AzureCr) {
        let text =
            "pulling from this kind of registry needs a token from its cloud provider, which this server cannot get";
        return Ok(Err(Impossible(text.into())));
    }
    let login = match registry_client::login(&app.keys, registry, organization)? {
        Ok(login) => login,
        Err(reason) => return Ok(Err(Impossible(format!("the registry of the image: {reason}")))),
    };
    let server = host.to_owned();
    Ok(Ok(login.map(|Login { username, password, .. }| Credentials { username, password, server })))
}
