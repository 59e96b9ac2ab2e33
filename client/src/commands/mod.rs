//! The commands, one file for each noun.

mod api_token;
mod check;
mod context;
mod declare;
mod environment;
mod exec;
mod import;
mod job;
mod job_schedule;
mod overview;
mod passed_signals;
mod project;
mod registry;
mod run;
mod unconfirmed;
mod variable;
mod watch;
mod workspace;
mod workspace_changes;
mod workspace_drift;
mod workspace_rows;
mod workspace_state;

use std::path::PathBuf;

use clap::Subcommand;
use clap_complete::Shell;

use crate::contexts;
use crate::failure::{Failure, Result};
use crate::names::Place;
use crate::options::Options;
use crate::screen::Screen;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Show what fails, what runs and what comes next.
    Status(overview::Status),
    /// List, run, pause and explain jobs.
    #[command(subcommand)]
    Job(job::Command),
    /// List, read, cancel and repeat runs.
    #[command(subcommand)]
    Run(run::Command),
    /// List, create and delete projects.
    #[command(subcommand)]
    Project(project::Command),
    /// List, create and delete environments.
    #[command(subcommand)]
    Env(environment::Command),
    /// List, set and delete variables.
    #[command(subcommand)]
    Variable(variable::Command),
    /// List, set and delete secrets, whose values are never shown.
    #[command(subcommand)]
    Secret(variable::Command),
    /// Plan, run and approve Terraform workspaces.
    #[command(subcommand)]
    Workspace(workspace::Command),
    /// Manage the private registry: modules, providers and signing keys.
    #[command(subcommand)]
    Registry(registry::Command),
    /// List checks of jobs that run elsewhere, and ping them.
    #[command(subcommand)]
    Check(check::Command),
    /// Run a command here, and report its start, log and exit code to a check.
    Exec(exec::Exec),
    /// Read schedules of other programs, such as a crontab, manifests of Kubernetes, or what Jenkins and Nomad export.
    #[command(subcommand)]
    Import(import::Command),
    /// Create or change environments so that they are as files declare them.
    Apply(declare::Apply),
    /// Show what applying files would change; the exit code is 2 if there is anything.
    Diff(declare::Source),
    /// Write environments as files that can be applied.
    Export(declare::Export),
    /// Print the JSON Schema of these files, for editors.
    Schema,
    /// Deploy an environment: its jobs are scheduled, and those for its start run.
    Deploy(environment::Target),
    /// Stop an environment: its schedules end, and jobs for its stop run.
    Stop(environment::Target),
    /// List, create and revoke the tokens of the organization.
    #[command(subcommand)]
    ApiToken(api_token::Command),
    /// Store the address of a server and a token for later commands.
    Login(context::Login),
    /// List, choose and delete stored servers.
    #[command(subcommand)]
    Context(context::Command),
    /// Print completions for a shell.
    Completions { shell: Shell },
    /// Write the manual pages of all commands into a folder.
    Man { folder: PathBuf },
}

/// Runs a command.
pub(crate) async fn run(options: &Options, command: Command, screen: &mut Screen) -> Result<()> {
    match command {
        Command::Login(login) => context::login(options, login, screen).await,
        Command::Context(command) => context::run(options, command, screen),
        Command::Check(check::Command::Ping(ping)) => exec::ping(&contexts::url(options)?, ping).await,
        Command::Schema => declare::schema(screen),
        Command::Import(command) if !command.applies() => import::preview(&command, screen),
        // Its exit code is that of the command.
        Command::Exec(wanted) => match exec::exec(&contexts::url(options)?, wanted).await? {
            0 => Ok(()),
            code => Err(Failure::Exited(code)),
        },
        command => {
            let place = Place::meant(contexts::connect(options).await?).await?;
            on_server(&place, command, screen).await
        }
    }
}

async fn on_server(place: &Place, command: Command, screen: &mut Screen) -> Result<()> {
    match command {
        Command::Status(status) => overview::run(place, status, screen).await,
        Command::Job(command) => Box::pin(job::run(place, command, screen)).await,
        Command::Run(command) => run::run(place, command, screen).await,
        Command::Project(command) => project::run(place, command, screen).await,
        Command::Env(command) => environment::run(place, command, screen).await,
        Command::Variable(command) => variable::run(place, variable::Kind::Variable, command, screen).await,
        Command::Secret(command) => variable::run(place, variable::Kind::Secret, command, screen).await,
        Command::Workspace(command) => Box::pin(workspace::run(place, command, screen)).await,
        Command::Registry(command) => Box::pin(registry::run(place, command, screen)).await,
        Command::Check(check::Command::List) => check::list(place, screen).await,
        Command::Import(command) => Box::pin(import::apply(place, command, screen)).await,
        Command::Apply(wanted) => Box::pin(declare::apply(place, wanted, screen)).await,
        Command::Diff(source) => declare::diff(place, source, screen).await,
        Command::Export(wanted) => declare::export(place, wanted, screen).await,
        Command::ApiToken(command) => api_token::run(place, command, screen).await,
        Command::Deploy(target) => environment::act(place, "deploy", target, screen).await,
        Command::Stop(target) => environment::act(place, "stop", target, screen).await,
        Command::Login(_)
        | Command::Context(_)
        | Command::Completions { .. }
        | Command::Man { .. }
        | Command::Schema
        | Command::Exec(_)
        | Command::Check(check::Command::Ping(_)) => Ok(()),
    }
}
