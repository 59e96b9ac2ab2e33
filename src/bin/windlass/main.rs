//! The command line.

use std::ffi::OsString;
use std::io::Write as _;
use std::process::ExitCode;
use std::sync::LazyLock;

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use tokio_util::sync::CancellationToken;
use windlass::app::App;
use windlass::clock::Clock;
use windlass::config::{AgentOptions, Config};
use windlass::error::{Error, Result};
use windlass::observe::telemetry;
use windlass::runner::process::{SPAWN_STEPS, spawn_steps};
use windlass::{bootstrap, console, server};

mod agent;
mod backup;
mod doctor;
mod passphrase;
mod restore;
mod secret_settings;
mod signals;
mod token;

/// The version of the program, and the release of the time zone database that it uses.
static VERSION: LazyLock<String> = LazyLock::new(|| {
    format!("{}\ntime zones: {}", env!("CARGO_PKG_VERSION"), windlass_schedule::time_zone::database())
});

/// A self-hosted control plane for jobs.
#[derive(Parser)]
#[command(version = VERSION.as_str(), about)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    config: Config,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the API and run jobs (default).
    Serve {
        /// Create and deploy sample jobs, and print commands to try.
        #[arg(long, env = "WINDLASS_DEMO", value_parser = clap::builder::BoolishValueParser::new())]
        demo: bool,
    },
    /// Migrate the database to the current schema.
    Migrate,
    /// Write all data to a file, while servers run, or check such a file.
    Backup(backup::Arguments),
    /// Fill an empty database from a backup.
    Restore(restore::Arguments),
    /// Examine the settings and their surroundings, and say what is wrong; exits with 1 if something is.
    Doctor(doctor::Arguments),
    /// Run the steps of a cluster that the server cannot reach, on this machine.
    Agent(AgentOptions),
    /// Create, list and revoke API tokens.
    Token {
        #[command(subcommand)]
        command: token::Command,
    },
    /// Check the server at --listen; exits non-zero if unhealthy.
    Healthcheck,
}

fn main() -> ExitCode {
    if std::env::args_os().nth(1).is_some_and(|word| word == SPAWN_STEPS) {
        return spawn_steps();
    }
    let words: Vec<OsString> = std::env::args_os().collect();
    if windlass_client::is_meant(&words) {
        return client(words);
    }
    // Before the first thread, because the program may be replaced.
    start(secret_settings::words())
}

/// A command of the client, which reads no setting of the server.
#[tokio::main(flavor = "current_thread")]
async fn client(words: Vec<OsString>) -> ExitCode {
    let _installed = rustls::crypto::ring::default_provider().install_default();
    windlass_client::run(words, &Arguments::command()).await
}

/// The words of a server's command. Its help names those of the client, too.
fn parse(words: Vec<OsString>) -> Arguments {
    let mut help = String::from("Commands of the client, which need a running server:\n");
    for (name, about) in windlass_client::commands() {
        help.push_str(&format!("  {name:<12} {about}\n"));
    }
    let matches = Arguments::command().before_help(help).get_matches_from(words);
    Arguments::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
}

#[tokio::main]
async fn start(words: Vec<OsString>) -> ExitCode {
    let Arguments { command, config } = parse(words);
    let _installed = rustls::crypto::ring::default_provider().install_default();
    let _telemetry = match telemetry::start(&config.log, config.log_format, config.otlp_endpoint.as_deref()) {
        Ok(telemetry) => telemetry,
        Err(error) => return fail(&format!("--otlp-endpoint: {error:?}")),
    };
    if let Some(Command::Doctor(arguments)) = &command {
        return doctor::run(&config, arguments).await;
    }
    let done = match command.unwrap_or(Command::Serve { demo: false }) {
        Command::Serve { demo } => serve(config, demo).await,
        Command::Migrate => server::migrate(&config).await.map(|_| ()),
        Command::Backup(arguments) => backup::run(&config, &arguments).await,
        Command::Restore(arguments) => restore::run(&config, &arguments).await,
        Command::Token { command } => token::run(config, command).await,
        Command::Agent(options) => agent::run(&config, &options).await,
        Command::Healthcheck => healthcheck(&config).await,
        // It has an exit code of its own.
        Command::Doctor(_) => Ok(()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(Error::Internal(source)) => fail(&source.to_string()),
        Err(Error::Unavailable { reason, source }) => fail(&format!("{reason}: {source}")),
        Err(error) => fail(&error.public()),
    }
}

fn fail(text: &str) -> ExitCode {
    eprintln!("windlass: {text}");
    ExitCode::FAILURE
}

async fn serve(config: Config, demo: bool) -> Result<()> {
    protect_memory();
    // Before anything is printed, because who reads that the server is there may end it at once.
    let mut signals = signals::Signals::new()?;
    let (app, _lock) = tokio::select! {
        built = server::build(config, Clock::system()) => built?,
        () = signals.next() => return Ok(()),
    };
    let server = server::Server::bind(app.clone()).await?;
    let first = bootstrap::create_first_organization(&app).await?;
    bootstrap::add_missing_templates(&app).await?;
    let samples = if demo { Some(bootstrap::demo(&app).await?) } else { None };
    let url = format!("{}://{}", app.config.scheme(), server.address());
    let link = if first.is_some() || demo { console::sign_in_link(&app).await? } else { None };
    let program = std::env::args().next().unwrap_or_else(|| "windlass".into());
    let text = bootstrap::greeting((&program, &url), link.as_deref(), first.as_ref(), samples.as_ref());
    // A closed standard output must not stop the server.
    let _printed = std::io::stdout().write_all(text.as_bytes());
    let shutdown = CancellationToken::new();
    tokio::select! {
        served = server.run(shutdown.clone()) => served,
        () = watch(&app, signals, shutdown) => Ok(()),
    }
}

/// Lets no other process of the same user read the memory and the environment of this one, where the keys are. The supervisors of
/// plain processes take the right to do so from those that run as root.
fn protect_memory() {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        if set_dumpable_behavior(DumpableBehavior::NotDumpable).is_err() {
            tracing::warn!("the memory of the server cannot be protected from other processes of its user");
        }
    }
}

/// The first signal begins an orderly shutdown, and the second one ends the process at once.
async fn watch(app: &App, mut signals: signals::Signals, shutdown: CancellationToken) {
    signals.next().await;
    tracing::info!(
        grace_seconds = app.config.shutdown_grace_seconds,
        "shutting down; another signal ends the server at once"
    );
    shutdown.cancel();
    signals.next().await;
    tracing::warn!("ended by a second signal; plain processes are killed");
    app.runners.process.close().await;
    // Returning would wait for what is still being done.
    std::process::exit(1)
}

async fn healthcheck(config: &Config) -> Result<()> {
    let _installed = rustls::crypto::ring::default_provider().install_default();
    let mut address = config.listen;
    if address.ip().is_unspecified() {
        address.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
    }
    // The certificate is for the name of the server, not for its own address, and nothing confidential is sent.
    let client = reqwest::Client::builder().tls_danger_accept_invalid_certs(true).build().map_err(Error::internal)?;
    let url = format!("{}://{address}/health", config.scheme());
    let answer = client.get(url).send().await.map_err(Error::internal)?;
    answer.error_for_status().map(|_| ()).map_err(Error::internal)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::Arguments;

    #[test]
    fn the_command_line_is_sound() {
        Arguments::command().debug_assert();
    }

    /// What may contain a secret is not shown, and is taken out of the environment.
    #[test]
    fn settings_with_secrets_are_known() {
        let expected = [
            "WINDLASS_DATABASE_URL",
            "WINDLASS_OIDC_CLIENT_SECRET",
            "WINDLASS_SECRET_KEYS",
            "WINDLASS_SECRET_KEY_COMMAND",
            "WINDLASS_HEARTBEAT_URL",
            "WINDLASS_OTLP_ENDPOINT",
        ];
        assert_eq!(windlass::config::secret_variables(), expected);
        let command = Arguments::command();
        for setting in command.get_arguments().filter(|setting| setting.get_long().is_some()) {
            let name = setting.get_long().unwrap();
            let may_be_secret =
                ["key", "secret", "password", "token", "url", "endpoint"].iter().any(|word| name.contains(word));
            let is_plain = ["tls-key", "public-url", "token-days", "secret-key-file", "step-url"].contains(&name)
                || !may_be_secret;
            assert_ne!(setting.is_hide_env_values_set(), is_plain, "--{name}");
        }
    }

    /// Every flag of the server has an environment variable named after it.
    #[test]
    fn every_flag_has_its_variable() {
        let command = Arguments::command();
        let serve = command.find_subcommand("serve").unwrap();
        let flags: Vec<_> = command.get_arguments().chain(serve.get_arguments()).collect();
        assert!(flags.len() > 12);
        for flag in flags {
            let long = flag.get_long().unwrap();
            let expected = format!("WINDLASS_{}", long.to_uppercase().replace('-', "_"));
            if !matches!(long, "help" | "version") {
                assert_eq!(flag.get_env().and_then(|name| name.to_str()), Some(expected.as_str()), "--{long}");
            }
        }
    }
}
