//! Turns a workspace step into the step that its runner executes: source, variables, scripts, and the credential for its state.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use entity::workspace_job::JobStatus;
use entity::{run, workspace_step};
use sea_orm::ActiveValue;

use super::super::prepared::{Impossible, Prepared, step_name};
use super::inputs::{Variables, variables};
use super::registry_login::{RegistryLogin, login};
use super::run_names::run_names;
use super::source::source_of;
use super::subject::{GONE, WorkspaceSubject};
use super::work::{Planned, addresses, planned, scripts};
use crate::app::App;
use crate::engine::given_variables;
use crate::engine::masking::texts;
use crate::engine::template::{self, FlowType};
use crate::engine::tool_version;
use crate::engine::visible_name::is_visible;
use crate::engine::workload_identity::{StepIdentity, TokenFile, of_step};
use crate::engine::workspace::{STATE_USER, rights_of, spec};
use crate::error::Result;
use crate::runner::kubernetes::handle;
use crate::runner::kubernetes::pod_options::PodOptions;
use crate::runner::terraform::layout;
use crate::runner::terraform::script::{self, Operation, Phase, TerraformStep};
use crate::runner::terraform::script_backend::SeenName;
use crate::runner::{Image, ProcessOptions, SourceTree, StepFile, StepSpec, StepTool, Target};
use crate::secret::{self, Secret};
use crate::store;

/// Why the tool cannot see the name of a workspace.
const INVISIBLE: &str = "terraform.workspace cannot be the name of this workspace: it must have no spaces or slashes, and not be default; rename it, \
                         or set its seesName to false";

/// What a step is made of.
struct Materials {
    /// The URL at which it reaches this server.
    server: String,
    source: SourceTree,
    scripts: Vec<(Phase, String)>,
    planned: Option<Planned>,
    variables: Variables,
    identity: StepIdentity,
    tool: Tool,
    image: Option<Image>,
    seen: Option<SeenName>,
}

async fn materials(app: &App, of: &WorkspaceSubject, kind: Target) -> Result<Result<Materials, Impossible>> {
    let server = match address(app, kind) {
        Ok(server) => server,
        Err(impossible) => return Ok(Err(impossible)),
    };
    let source = match source_of(app, of).await? {
        Ok(source) => source,
        Err(impossible) => return Ok(Err(impossible)),
    };
    let scripts = match scripts(app, of).await? {
        Ok(scripts) => scripts,
        Err(impossible) => return Ok(Err(impossible)),
    };
    let planned = match planned(app, of).await? {
        Ok(planned) => planned,
        Err(impossible) => return Ok(Err(impossible)),
    };
    let variables = match variables(app, of, planned.as_ref().map(|planned| &planned.step)).await? {
        Ok(variables) => variables,
        Err(impossible) => return Ok(Err(impossible)),
    };
    let identity = match of_step(app, (&of.workspace, &of.job), of.spec.kind, &variables.environment).await? {
        Ok(identity) => identity,
        Err(reason) => return Ok(Err(Impossible(reason))),
    };
    let seen = match seen_name(of) {
        Ok(seen) => seen,
        Err(impossible) => return Ok(Err(impossible)),
    };
    Ok(tool(app, of, kind).await.map(|(tool, image)| Materials {
        server,
        source,
        scripts,
        planned,
        variables,
        identity,
        tool,
        image,
        seen,
    }))
}

/// Everything that a runner needs to execute a workspace step.
pub(in crate::engine::tick) async fn step(
    app: &App,
    run: &run::Model,
    kind: Target,
) -> Result<Result<Prepared, Impossible>> {
    let Some(of) = WorkspaceSubject::load(app, run).await? else { return Ok(Err(Impossible(GONE.into()))) };
    let Materials { server, source, scripts, planned, variables, identity, tool, image, seen } =
        match materials(app, &of, kind).await? {
            Ok(materials) => materials,
            Err(impossible) => return Ok(Err(impossible)),
        };
    let values = (Secret::new(variables.values), variables.loose);
    let given = Given { scripts, values, notes: variables.notes, plan: planned.map(|planned| planned.plan), seen };
    let work = work(app, &of, (tool, kind), given).await?;
    let mut script = script::script(&work);
    let files = identity.files.into_iter();
    script.files.extend(files.map(|TokenFile { variables, path, content }| StepFile { variables, path, content }));
    let token = credential(app, &of).await?;
    let RegistryLogin { variable, file } = login(&app.public_url(), &token, &variables.environment);
    script.files.extend(file);
    let mut environment: Vec<(String, Secret<String>)> = match kind {
        Target::Process => {
            app.config.trusted_certificates().into_iter().map(|(name, value)| (name, Secret::new(value))).collect()
        }
        Target::Docker | Target::Kubernetes(_) | Target::Agent(_) => Vec::new(),
    };
    environment.extend(variable);
    environment.extend(variables.environment);
    environment.extend(identity.environment);
    environment.extend(run_names(app, &of, &environment).await?);
    environment.extend(surroundings(&of, &server, &token, source_text(&source)));
    environment.extend(script.files.iter().flat_map(places));
    environment.extend(script.environment);
    let mut secrets = variables.secrets;
    secrets.extend(identity.secrets);
    if work.fetches {
        let own = authorization(&token);
        secrets.push(own.clone());
        let files = format!("{server}/tfstep/v1");
        environment.extend([(layout::AUTHORIZATION_VARIABLE, own), (layout::FILES_VARIABLE, files)].map(plainly));
    }
    secrets.push(token.expose().clone());
    if let SourceTree::Repository(wanted) = &source {
        secrets.extend(wanted.login.iter().map(|login| login.token.expose().clone()));
    }
    let pod = matches!(kind, Target::Kubernetes(_)).then(|| Box::new(pod(&of, run)));
    let name = step_name(run.id, run.attempt);
    let step = StepSpec {
        name: pod.as_ref().map_or_else(|| name.clone(), |pod| handle::job(&pod.namespace, &name)),
        image,
        entrypoint: Some(script.program),
        arguments: script.arguments,
        environment,
        files: script.files,
        cpu_milli: 0,
        memory_mib: 0,
        labels: labels(&of, run, kind),
        read_only_root: false,
        permit: Some(app.fence.permit(&app.clock)),
        build: None,
        source: Some(source),
        interrupt: true,
        process: ProcessOptions { kept: kept(&of, &work), ..ProcessOptions::default() },
        pod,
        tool: Some(StepTool { name: of.tool().to_owned(), version: of.workspace.terraform_version.clone() }),
    };
    Ok(Ok(Prepared { step, masks: texts(secrets.iter().map(String::as_str)) }))
}

/// What a step is given besides its source.
struct Given {
    scripts: Vec<(Phase, String)>,
    /// The file of values, and those whose type the module declares.
    values: (Secret<String>, Vec<(String, Secret<String>)>),
    notes: Vec<&'static str>,
    plan: Option<Secret<Vec<u8>>>,
    seen: Option<SeenName>,
}

/// What the script of a step does.
async fn work(app: &App, of: &WorkspaceSubject, (tool, kind): (Tool, Target), given: Given) -> Result<TerraformStep> {
    let Given { scripts, values: (values, loose), notes, plan, seen } = given;
    Ok(TerraformStep {
        operation: if of.rejected() { Operation::Scripts } else { of.operation() },
        tool: tool.program,
        version: tool.version,
        folder: of.workspace.folder.split(',').next().unwrap_or_default().to_owned(),
        scripts,
        values,
        loose,
        notes,
        plan,
        saves_plan: given_variables::keeps_plan_json(app, &of.job)?,
        generates: given_variables::of_job(app, &of.job)?.generates,
        is_applied_later: of.plans() && is_applied_later(app, of).await?,
        lock_timeout_seconds: (!of.job.plan_only).then_some(app.config.state_lock_timeout_seconds),
        refresh: of.job.refresh,
        refresh_only: of.job.refresh_only,
        seen,
        targets: addresses(app, of, "TARGET").await?,
        replacements: addresses(app, of, "REPLACE").await?,
        fetches: matches!(kind, Target::Kubernetes(_) | Target::Agent(_)),
    })
}

/// The name that the tool sees, if it is to see that of the workspace.
fn seen_name(of: &WorkspaceSubject) -> Result<Option<SeenName>, Impossible> {
    let (organization, workspace) = (of.workspace.organization_id.to_string(), of.workspace.name.clone());
    if !of.workspace.sees_name {
        return Ok(None);
    }
    if is_visible(&workspace) {
        Ok(Some(SeenName { organization, workspace }))
    } else {
        Err(Impossible(INVISIBLE.into()))
    }
}

/// Whether a later step of the job applies the plan of this one.
async fn is_applied_later(app: &App, of: &WorkspaceSubject) -> Result<bool> {
    for step in store::workspace::steps(&app.db, of.job.id).await? {
        if step.position > of.step.position && spec(&step)?.kind == FlowType::TerraformApply {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The name of the folder that a plan leaves to its apply.
fn kept(of: &WorkspaceSubject, work: &TerraformStep) -> Option<String> {
    (work.is_applied_later || work.plan.is_some()).then(|| of.job.id.to_string())
}

/// The program of a step.
struct Tool {
    /// Its path on this machine, or its name.
    program: String,
    /// The line that it prints about its version, if it is on this machine.
    version: Option<String>,
}

/// The program of a step: its path on this machine, or its name and an image.
async fn tool(app: &App, of: &WorkspaceSubject, kind: Target) -> Result<(Tool, Option<Image>), Impossible> {
    let range = of.version().map_err(Impossible)?;
    let named = || Tool { program: of.tool().to_owned(), version: None };
    match kind {
        Target::Process => {
            let found = app.toolbox.find(of.tool(), &range).await;
            let found =
                found.map(|found| Tool { program: found.path.display().to_string(), version: Some(found.line) });
            Ok((found.unwrap_or_else(|_| named()), None))
        }
        // An agent that runs plain processes finds the program on its machine, and needs no image.
        Target::Agent(_) => {
            let image = tool_version::image(app, of.tool(), &range);
            let image = image.map(|reference| Image { reference, credentials: None, local: false });
            Ok((named(), image))
        }
        Target::Docker | Target::Kubernetes(_) => {
            let reference = tool_version::image(app, of.tool(), &range).ok_or_else(|| {
                Impossible(format!(
                    "no image is known to have a version of {} that fits {:?}; give an exact version",
                    of.tool(),
                    of.workspace.terraform_version
                ))
            })?;
            Ok((named(), Some(Image { reference, credentials: None, local: false })))
        }
    }
}

/// The variables that tell the script the path of a file.
fn places(file: &StepFile) -> Vec<(String, Secret<String>)> {
    file.variables.iter().map(|name| (name.clone(), Secret::new(file.path.clone()))).collect()
}

fn plainly((name, value): (&str, String)) -> (String, Secret<String>) {
    (name.to_owned(), Secret::new(value))
}

/// The value of the Authorization header that a step sends.
fn authorization(token: &Secret<String>) -> String {
    format!("Basic {}", STANDARD.encode(format!("{STATE_USER}:{}", token.expose())))
}

fn labels(of: &WorkspaceSubject, run: &run::Model, kind: Target) -> Vec<(String, String)> {
    let prefix = if matches!(kind, Target::Kubernetes(_)) { "windlass.dev/" } else { "windlass." };
    [("run", run.id.to_string()), ("workspace", of.workspace.id.to_string())]
        .map(|(name, value)| (format!("{prefix}{name}"), value))
        .into()
}

/// The pod of a step; all workspaces of an organization share a namespace.
fn pod(of: &WorkspaceSubject, run: &run::Model) -> PodOptions {
    let organization = of.workspace.organization_id.to_string();
    PodOptions {
        namespace: format!("windlass-{organization}"),
        namespace_labels: vec![("windlass.dev/organization".into(), organization)],
        grace_seconds: run.spec.stop_grace_seconds.unwrap_or(0).into(),
        message_file: Some(layout::RESULT_FILE),
        ..PodOptions::default()
    }
}

fn source_text(source: &SourceTree) -> String {
    match source {
        SourceTree::Empty | SourceTree::Upload(_) => String::new(),
        SourceTree::Repository(wanted) => wanted.url.clone(),
    }
}

/// The URL at which a step reaches this server.
fn address(app: &App, kind: Target) -> Result<String, Impossible> {
    let own = app.address.get().copied().unwrap_or(app.config.listen);
    match (&app.config.step_url, kind) {
        // The address that steps on the server's machine use means nothing at the place of an agent.
        (_, Target::Agent(_)) => Ok(app.public_url()),
        (Some(url), _) => Ok(url.trim_end_matches('/').to_owned()),
        // A certificate is for the name of the server.
        (None, Target::Process) if app.config.tls_certificate.is_some() => Ok(app.public_url()),
        (None, Target::Process) => {
            let ip = if own.ip().is_unspecified() { std::net::Ipv4Addr::LOCALHOST.into() } else { own.ip() };
            Ok(format!("http://{}", std::net::SocketAddr::new(ip, own.port())))
        }
        (None, _) if app.config.public_url.is_some() => Ok(app.public_url()),
        (None, _) if !own.ip().is_loopback() && !own.ip().is_unspecified() => Ok(format!("{}://{own}", app.config.scheme())),
        (None, _) => Err(Impossible(
            "a container cannot reach this server at its loopback address; start the server with --step-url or --public-url"
                .into(),
        )),
    }
}

/// A new credential that gives a step access to its state while it runs: to read and lock it, and to write it if the step needs to and
/// whoever is behind it may. That is decided once, so that a step that has begun can store what it did.
async fn credential(app: &App, of: &WorkspaceSubject) -> Result<Secret<String>> {
    let token = secret::new_token()?;
    let rights = rights_of(&app.db, of.job.principal.as_deref(), (of.job.organization_id, of.job.workspace_id)).await?;
    let writes = template::writes_state(&of.spec, is_approved(app, of).await?, rights);
    let change = workspace_step::ActiveModel {
        token: ActiveValue::Set(Some(secret::TokenHash::of(token.expose()).stored())),
        writes_state: ActiveValue::Set(Some(writes)),
        ..Default::default()
    };
    store::write_one(&app.db, async |db| store::workspace::change_step(&db, of.step.id, change.clone()).await).await?;
    Ok(token)
}

/// Whether the step follows an approval that was given.
async fn is_approved(app: &App, of: &WorkspaceSubject) -> Result<bool> {
    if of.rejected() {
        return Ok(false);
    }
    let is_own = |step: &workspace_step::Model| step.id == of.step.id;
    for step in store::workspace::steps(&app.db, of.job.id).await? {
        // The scripts of an approval run once it was given.
        let is_given = step.status == JobStatus::Completed || is_own(&step);
        if step.position <= of.step.position && is_given && spec(&step)?.kind == FlowType::Approval {
            return Ok(true);
        }
    }
    Ok(false)
}

fn surroundings(
    of: &WorkspaceSubject,
    server: &str,
    token: &Secret<String>,
    source: String,
) -> Vec<(String, Secret<String>)> {
    let (organization, workspace) = (of.workspace.organization_id, of.workspace.id);
    let state = format!("{server}/tfstate/v1/organization/{organization}/workspace/{workspace}/backend");
    let plain = [
        ("TF_IN_AUTOMATION", "1".to_owned()),
        ("TF_INPUT", "0".to_owned()),
        ("CHECKPOINT_DISABLE", "1".to_owned()),
        ("TF_HTTP_ADDRESS", state.clone()),
        ("TF_HTTP_LOCK_ADDRESS", state.clone()),
        ("TF_HTTP_UNLOCK_ADDRESS", state),
        ("TF_HTTP_USERNAME", STATE_USER.to_owned()),
        ("TF_HTTP_PASSWORD", token.expose().clone()),
        ("organizationId", organization.to_string()),
        ("workspaceId", workspace.to_string()),
        ("workspaceName", of.workspace.name.clone()),
        ("jobId", of.job.id.to_string()),
        ("stepId", of.step.id.to_string()),
        ("terraformVersion", of.workspace.terraform_version.clone()),
        ("source", source),
        ("branch", of.job.override_branch.clone().unwrap_or_else(|| of.workspace.branch.clone())),
        ("terrakubeApi", server.to_owned()),
    ];
    plain.into_iter().map(|(key, value)| (key.to_owned(), Secret::new(value))).collect()
}
