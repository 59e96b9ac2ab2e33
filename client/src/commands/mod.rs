//! The commands, one file for each noun.

mod context;
mod environment;
mod job;
mod job_schedule;
mod overview;
mod project;
mod run;
mod unconfirmed;
mod watch;

use clap::Subcommand;
use clap_complete::Shell;

use crate::contexts;
use crate::failure::Result;
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
    /// Deploy an environment: its jobs are scheduled, and those for its start run.
    Deploy(environment::Target),
    /// Stop an environment: its schedules end, and jobs for its stop run.
    Stop(environment::Target),
    /// Store the address of a server and a token for later commands.
    Login(context::Login),
    /// List, choose and delete stored servers.
    #[command(subcommand)]
    Context(context::Command),
    /// Print completions for a shell.
    Completions { shell: Shell },
}

/// Runs a command.
pub(crate) async fn run(options: &Options, command: Command, screen: &mut Screen) -> Result<()> {
    match command {
        Command::Login(login) => context::login(options, login, screen).await,
        Command::Context(command) => context::run(options, command, screen),
        command => {
            let place = Place::find(contexts::connect(options)?).await?;
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
        Command::Deploy(target) => environment::act(place, "deploy", target, screen).await,
        Command::Stop(target) => environment::act(place, "stop", target, screen).await,
        Command::Login(_) | Command::Context(_) | Command::Completions { .. } => Ok(()),
    }
}
