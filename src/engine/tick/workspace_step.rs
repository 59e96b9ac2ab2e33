//! From a step of a workspace to what a runner executes: its source, its variables, its scripts, and the way to its state.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use entity::{run, workspace, workspace_address, workspace_job, workspace_step};
use sea_orm::ActiveValue;

use super::step::{Impossible, Prepared, step_name};
use super::workspace_variables::variables;
use crate::app::App;
use crate::engine::masking::patterns;
use crate::engine::template::{self, FlowStep, FlowType};
use crate::engine::workspace::{STATE_USER, spec};
use crate::error::Result;
use crate::repository::{self, Login, Wanted};
use crate::runner::kubernetes::handle;
use crate::runner::kubernetes::pod::Pod;
use crate::runner::terraform::{self, Operation, Phase, Work};
use crate::runner::{Image, Kind, Source, StepFile, StepSpec};
use crate::secret::{self, Secret};
use crate::store;

const GONE: &str = "its workspace was deleted";

/// A step with all that belongs to it.
pub(super) struct Of {
    step: workspace_step::Model,
    job: workspace_job::Model,
    pub(super) workspace: workspace::Model,
    pub(super) spec: FlowStep,
}

impl Of {
    /// None where they were deleted meanwhile.
    pub(super) async fn load(app: &App, run: &run::Model) -> Result<Option<Self>> {
        let Some(step) = store::workspace::step_by_run(&app.db, run.id).await? else { return Ok(None) };
        let job = store::row::by_id::<workspace_job::Model>(&app.db, step.job_id).await?;
        let workspace = store::row::by_id::<workspace::Model>(&app.db, step.workspace_id).await?;
        let (Some(job), Some(workspace)) = (job, workspace) else { return Ok(None) };
        let spec = spec(&step)?;
        Ok(Some(Self { step, job, workspace, spec }))
    }

    /// Whether what is executed are the scripts for a rejection.
    fn rejected(&self) -> bool {
        self.step.status == workspace_job::JobStatus::Rejected
    }

    fn operation(&self) -> Operation {
        match self.spec.kind {
            FlowType::TerraformPlan => Operation::Plan,
            FlowType::TerraformPlanDestroy => Operation::PlanDestroy,
            FlowType::TerraformApply => Operation::Apply,
            FlowType::TerraformDestroy => Operation::Destroy,
            FlowType::CustomScripts | FlowType::Approval | FlowType::DisableWorkspace | FlowType::ScheduleTemplates => {
                Operation::Scripts
            }
        }
    }

    fn tool(&self) -> &'static str {
        if self.workspace.iac_type == "terraform" { "terraform" } else { "tofu" }
    }

    /// The version that is wanted; empty for any.
    fn version(&self) -> &str {
        match self.workspace.terraform_version.as_str() {
            "latest" => "",
            version => version.trim_start_matches('v'),
        }
    }
}

/// Where a step of a workspace is executed: here, where its program is and processes may be started; else in a container.
///
/// # Errors
/// Within: why it can be executed nowhere.
pub(super) async fn place(app: &App, run: &run::Model) -> Result<Result<Kind, String>> {
    let Some(of) = Of::load(app, run).await? else { return Ok(Err(GONE.into())) };
    let docker = app.runners.local == Ok(Kind::Docker);
    // Where there is nothing else, or clusters are to be used first.
    if app.config.workspaces_in_clusters || (!docker && !app.runners.processes) {
        let clusters = store::cluster_objects::clusters_of(&app.db, of.workspace.organization_id).await?;
        if let Some(id) = clusters.first() {
            return Ok(Ok(Kind::Kubernetes(*id)));
        }
    }
    if of.operation() == Operation::Scripts && app.runners.processes {
        return Ok(Ok(Kind::Process));
    }
    let (tool, version) = (of.tool(), of.version());
    let others = match app.runners.processes {
        true => match app.toolbox.find(tool, version).await {
            Ok(_) => return Ok(Ok(Kind::Process)),
            Err(others) => others,
        },
        false => Vec::new(),
    };
    if docker {
        return Ok(Ok(Kind::Docker));
    }
    let wanted = if version.is_empty() { tool.to_owned() } else { format!("{tool} {version}") };
    Ok(Err(match (app.runners.processes, others.is_empty()) {
        (true, true) => format!("{wanted} is not on the machine of the server, and there is no Docker engine"),
        (true, false) => format!(
            "{wanted} is not on the machine of the server, which has {}, and there is no Docker engine",
            others.join(", ")
        ),
        (false, _) => "there is no Docker engine, and plain processes are refused".into(),
    }))
}

/// What a step of a workspace needs to be executed.
pub(super) async fn step(app: &App, run: &run::Model, kind: Kind) -> Result<Result<Prepared, Impossible>> {
    let Some(of) = Of::load(app, run).await? else { return Ok(Err(Impossible(GONE.into()))) };
    let server = match address(app, kind) {
        Ok(server) => server,
        Err(impossible) => return Ok(Err(impossible)),
    };
    let source = match source_of(app, &of).await? {
        Ok(source) => source,
        Err(impossible) => return Ok(Err(impossible)),
    };
    let scripts = match scripts(app, &of).await? {
        Ok(scripts) => scripts,
        Err(impossible) => return Ok(Err(impossible)),
    };
    let variables = match variables(app, &of).await? {
        Ok(variables) => variables,
        Err(impossible) => return Ok(Err(impossible)),
    };
    let (tool, image) = tool(app, &of, kind).await;
    let work = Work {
        operation: if of.rejected() { Operation::Scripts } else { of.operation() },
        tool,
        folder: of.workspace.folder.split(',').next().unwrap_or_default().to_owned(),
        scripts,
        values: Secret::new(variables.values.clone()),
        plan: plan_of(app, &of).await?,
        refresh: of.job.refresh,
        refresh_only: of.job.refresh_only,
        targets: addresses(app, &of, "TARGET").await?,
        replacements: addresses(app, &of, "REPLACE").await?,
        fetches: matches!(kind, Kind::Kubernetes(_)),
    };
    let script = terraform::script(&work);
    let token = credential(app, &of).await?;
    let mut environment = variables.environment;
    environment.extend(surroundings(&of, &server, &token, source_text(&source)));
    environment.extend(script.files.iter().flat_map(places));
    let mut secrets = variables.secrets;
    if work.fetches {
        let own = authorization(&token);
        secrets.push(own.clone());
        let files = format!("{server}/tfstep/v1");
        environment.extend([(terraform::AUTHORIZATION_VARIABLE, own), (terraform::FILES_VARIABLE, files)].map(plainly));
    }
    secrets.push(token.expose().clone());
    if let Source::Repository(wanted) = &source {
        secrets.extend(wanted.login.iter().map(|login| login.token.expose().clone()));
    }
    let pod = matches!(kind, Kind::Kubernetes(_)).then(|| Box::new(pod(&of, run)));
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
        leave: Some(app.fence.leave(&app.clock)),
        build: None,
        source: Some(source),
        interrupt: true,
        pod,
    };
    Ok(Ok(Prepared { step, masks: patterns(secrets.iter().map(String::as_str)) }))
}

/// The program of a step here, or its name and an image that has it.
async fn tool(app: &App, of: &Of, kind: Kind) -> (String, Option<Image>) {
    match kind {
        Kind::Process => {
            let found = app.toolbox.find(of.tool(), of.version()).await;
            (found.map_or_else(|_| of.tool().to_owned(), |path| path.display().to_string()), None)
        }
        Kind::Docker | Kind::Kubernetes(_) => (of.tool().to_owned(), Some(image(app, of))),
    }
}

/// Where the script looks for a file; a runner that puts it elsewhere says so in its place.
fn places(file: &StepFile) -> Vec<(String, Secret<String>)> {
    file.variables.iter().map(|name| (name.clone(), Secret::new(file.path.clone()))).collect()
}

fn plainly((name, value): (&str, String)) -> (String, Secret<String>) {
    (name.to_owned(), Secret::new(value))
}

/// How a step shows who it is.
fn authorization(token: &Secret<String>) -> String {
    format!("Basic {}", STANDARD.encode(format!("{STATE_USER}:{}", token.expose())))
}

fn labels(of: &Of, run: &run::Model, kind: Kind) -> Vec<(String, String)> {
    let prefix = if matches!(kind, Kind::Kubernetes(_)) { "windlass.dev/" } else { "windlass." };
    [("run", run.id.to_string()), ("workspace", of.workspace.id.to_string())]
        .map(|(name, value)| (format!("{prefix}{name}"), value))
        .into()
}

/// Steps of all workspaces of an organization share a namespace.
fn pod(of: &Of, run: &run::Model) -> Pod {
    let organization = of.workspace.organization_id.to_string();
    Pod {
        namespace: format!("windlass-{organization}"),
        namespace_labels: vec![("windlass.dev/organization".into(), organization)],
        grace_seconds: run.spec.stop_grace_seconds.unwrap_or(0).into(),
        message_file: Some(terraform::RESULT_FILE),
        ..Pod::default()
    }
}

fn source_text(source: &Source) -> String {
    match source {
        Source::Empty => String::new(),
        Source::Repository(wanted) => wanted.url.clone(),
    }
}

/// Where a step reaches this server.
fn address(app: &App, kind: Kind) -> Result<String, Impossible> {
    let own = app.address.get().copied().unwrap_or(app.config.listen);
    match (&app.config.step_url, kind) {
        (Some(url), _) => Ok(url.trim_end_matches('/').to_owned()),
        (None, Kind::Process) => {
            let ip = if own.ip().is_unspecified() { std::net::Ipv4Addr::LOCALHOST.into() } else { own.ip() };
            Ok(format!("http://{}", std::net::SocketAddr::new(ip, own.port())))
        }
        (None, _) if app.config.public_url.is_some() => Ok(app.public_url()),
        (None, _) if !own.ip().is_loopback() && !own.ip().is_unspecified() => Ok(format!("http://{own}")),
        (None, _) => Err(Impossible(
            "a container does not reach this server by its own address; start it with --step-url or --public-url"
                .into(),
        )),
    }
}

fn image(app: &App, of: &Of) -> Image {
    let name = match of.tool() {
        "terraform" => &app.config.terraform_image,
        _ => &app.config.opentofu_image,
    };
    // With a tag it is the image for those who name no version.
    let (name, tag) = match name.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, tag),
        _ => (name.as_str(), "latest"),
    };
    let version = if of.version().is_empty() { tag } else { of.version() };
    Image { reference: format!("{name}:{version}"), credentials: None, local: false }
}

pub(super) async fn source_of(app: &App, of: &Of) -> Result<Result<Source, Impossible>> {
    let row = &of.workspace;
    let branch = of.job.override_branch.as_deref().filter(|branch| !branch.is_empty()).unwrap_or(&row.branch);
    let branch = branch.split(',').next().unwrap_or_default().trim();
    if row.source.is_empty() || row.source == "empty" {
        // Only scripts work on nothing.
        return Ok(if of.operation() == Operation::Scripts || of.rejected() {
            Ok(Source::Empty)
        } else {
            Err(Impossible("the workspace has no source: give it the address of a repository".into()))
        });
    }
    let (login, key) = access(app, row.vcs_id, row.ssh_key_id).await?;
    let known = ["https://", "http://", "ssh://", "git@"].iter().any(|scheme| row.source.starts_with(scheme));
    let local = app.config.local_repositories && row.source.starts_with("file://");
    if !known && !local {
        let text = format!(
            "{} is not the address of a repository: it begins with https://, http://, ssh:// or git@",
            row.source
        );
        return Ok(Err(Impossible(text)));
    }
    Ok(Ok(Source::Repository(Wanted {
        url: row.source.clone(),
        branch: (!branch.is_empty() && branch != "remote-content").then(|| branch.to_owned()),
        commit: of.job.commit_id.clone().filter(|commit| commit.len() == 40),
        submodules: true,
        login,
        key,
        local,
    })))
}

/// How the repository of a workspace is read.
async fn access(
    app: &App,
    vcs: Option<entity::id::VcsId>,
    key: Option<entity::id::SshKeyId>,
) -> Result<(Option<Login>, Option<Secret<String>>)> {
    let login = match vcs {
        Some(id) => match store::workspace::vcs(&app.db, id).await? {
            Some(row) => match &row.access_token {
                Some(sealed) => {
                    let token = app.keys.open_text(&secret::place("vcs", row.id.0), sealed)?;
                    let username = match row.vcs_type.as_str() {
                        "GITLAB" => "oauth2",
                        "BITBUCKET" => "x-token-auth",
                        "AZURE_DEVOPS" => "dummy",
                        _ => "x-access-token",
                    };
                    Some(Login { username: username.into(), token })
                }
                None => None,
            },
            None => None,
        },
        None => None,
    };
    let key = match key {
        Some(id) => match store::workspace::ssh_key(&app.db, id).await? {
            Some(row) => match &row.private_key {
                Some(sealed) => Some(app.keys.open_text(&secret::place("ssh_key", row.id.0), sealed)?),
                None => None,
            },
            None => None,
        },
        None => None,
    };
    Ok((login, key))
}

/// The scripts of a step, in their order; those of another repository are read there.
async fn scripts(app: &App, of: &Of) -> Result<Result<Vec<(Phase, String)>, Impossible>> {
    let mut commands = of.spec.commands.clone();
    if let Some(import) = &of.spec.import_commands {
        let id = import.vcs_id.as_ref().and_then(|id| id.parse().ok()).map(entity::id::VcsId);
        let (login, _) = access(app, id, None).await?;
        let branch = (!import.branch.is_empty()).then_some(import.branch.as_str());
        let path = format!("{}/commands.yaml", import.folder.trim_matches('/'));
        let path = path.trim_start_matches('/');
        commands = match repository::file(&import.repository, branch, path, login.as_ref()).await {
            Err(reason) => return Ok(Err(Impossible(format!("the commands could not be read: {reason}")))),
            Ok(text) => match template::commands(&text) {
                Err(refused) => return Ok(Err(Impossible(refused.0))),
                Ok(commands) => commands,
            },
        };
    }
    if of.rejected() {
        commands = of.spec.on_reject.clone();
    }
    let all = of.rejected() || of.operation() == Operation::Scripts;
    let phase = |command: &template::Command| {
        if all {
            Some(Phase::Before)
        } else if command.before_init {
            Some(Phase::BeforeInit)
        } else if command.before {
            Some(Phase::Before)
        } else {
            command.after.then_some(Phase::After)
        }
    };
    let mut scripts: Vec<_> =
        commands.iter().filter_map(|command| Some((phase(command)?, command.script.clone()))).collect();
    if !of.rejected() {
        scripts.extend(of.spec.on_failure.iter().map(|command| (Phase::Failure, command.script.clone())));
    }
    Ok(Ok(scripts))
}

/// What the steps before it planned last.
pub(super) async fn plan_of(app: &App, of: &Of) -> Result<Option<Secret<Vec<u8>>>> {
    if of.spec.kind != FlowType::TerraformApply {
        return Ok(None);
    }
    let steps = store::workspace::steps(&app.db, of.job.id).await?;
    let planned = steps
        .iter()
        .rev()
        .filter(|step| step.position < of.step.position)
        .find_map(|step| Some((step.id, step.plan.as_ref()?)));
    planned.map(|(id, sealed)| app.keys.open(&secret::place("workspace_step", id.0), sealed)).transpose()
}

async fn addresses(app: &App, of: &Of, kind: &str) -> Result<Vec<String>> {
    let rows: Vec<workspace_address::Model> = store::workspace::addresses(&app.db, of.job.id).await?;
    Ok(rows.into_iter().filter(|row| row.kind == kind).map(|row| row.name).collect())
}

/// A new credential with which the process of a step reaches its state, as long as it is executed.
async fn credential(app: &App, of: &Of) -> Result<Secret<String>> {
    let token = secret::new_token()?;
    let change = workspace_step::ActiveModel {
        token: ActiveValue::Set(Some(secret::TokenHash::of(token.expose()).stored())),
        ..Default::default()
    };
    store::workspace::change_step(&app.db, of.step.id, change).await?;
    Ok(token)
}

fn surroundings(of: &Of, server: &str, token: &Secret<String>, source: String) -> Vec<(String, Secret<String>)> {
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
