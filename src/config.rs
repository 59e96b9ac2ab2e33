//! Settings of the server: each is a flag and a `WINDLASS_*` variable. Nothing else reads the environment.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;

use chrono::{DateTime, TimeDelta, Utc};
use clap::Args;

pub use self::agent_options::{AGENT_TOKEN, AgentOptions};
pub use self::inherited_environment::inherited_environment;
pub use self::setting_value::{Creator, LocalCluster, LogFormat, RunnerChoice};
use self::setting_value::{PLANS, hidden, kept_days, origin, timeout, web_address};
use crate::secret::{KeySource, Secret};

mod agent_options;
mod inherited_environment;
mod setting_value;

/// The settings of the server.
#[derive(Clone, Debug, Args)]
pub struct Config {
    /// Address to listen on.
    #[arg(long, global = true, env = "WINDLASS_LISTEN", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,

    /// PEM file with the certificate of the server and its chain; with it, the server speaks TLS. Reloaded when it changes.
    #[arg(long, global = true, env = "WINDLASS_TLS_CERTIFICATE", requires = "tls_key")]
    pub tls_certificate: Option<PathBuf>,

    /// PEM file with the private key of the certificate.
    #[arg(long, global = true, env = "WINDLASS_TLS_KEY", requires = "tls_certificate")]
    pub tls_key: Option<PathBuf>,

    /// A proxy terminates TLS: do not warn about plain HTTP on an address that others can reach.
    #[arg(long, global = true, env = "WINDLASS_BEHIND_TLS_PROXY")]
    pub behind_tls_proxy: bool,

    /// Maximum open connections; at most half of the files that the process may open.
    #[arg(long, global = true, env = "WINDLASS_MAX_CONNECTIONS", default_value_t = 4096,
          value_parser = clap::value_parser!(u32).range(1..))]
    pub max_connections: u32,

    /// Maximum open connections from one address, or from one /64 network of IPv6.
    #[arg(long, global = true, env = "WINDLASS_MAX_CONNECTIONS_PER_ADDRESS", default_value_t = 1024,
          value_parser = clap::value_parser!(u32).range(1..))]
    pub max_connections_per_address: u32,

    /// How many jobs have metrics of their own, the oldest first. /metrics then shows their names, to everyone who can reach it.
    #[arg(long, global = true, env = "WINDLASS_METRICS_PER_JOB", default_value_t = 0,
          value_parser = clap::value_parser!(u32).range(..=10_000))]
    pub metrics_per_job: u32,

    /// Seconds that a client has for the TLS handshake, and then for the headers of a request.
    #[arg(long, global = true, env = "WINDLASS_HEADER_TIMEOUT_SECONDS", default_value_t = 10, value_parser = timeout())]
    pub header_timeout_seconds: u32,

    /// Seconds after which a connection without a request is closed.
    #[arg(long, global = true, env = "WINDLASS_IDLE_TIMEOUT_SECONDS", default_value_t = 120, value_parser = timeout())]
    pub idle_timeout_seconds: u32,

    /// Seconds for which the body of a request may be waited for, in addition to one for each --body-bytes-per-second.
    #[arg(long, global = true, env = "WINDLASS_BODY_TIMEOUT_SECONDS", default_value_t = 30, value_parser = timeout())]
    pub body_timeout_seconds: u32,

    /// Bytes per second at which the body of a request has to arrive, once --body-timeout-seconds are used up.
    #[arg(long, global = true, env = "WINDLASS_BODY_BYTES_PER_SECOND", default_value_t = 1024,
          value_parser = clap::value_parser!(u32).range(1..))]
    pub body_bytes_per_second: u32,

    /// Seconds after which a client that receives nothing of a response is disconnected.
    #[arg(long, global = true, env = "WINDLASS_SEND_TIMEOUT_SECONDS", default_value_t = 60, value_parser = timeout())]
    pub send_timeout_seconds: u32,

    /// URL under which clients reach the server, used for links in responses [default: http:// or https:// and the listen
    /// address].
    #[arg(long, global = true, env = "WINDLASS_PUBLIC_URL")]
    pub public_url: Option<String>,

    /// Origins of web pages that may call the APIs from browsers, separated by commas, such as `https://console.example.com`
    /// [default: none].
    #[arg(long, global = true, env = "WINDLASS_CORS_ORIGINS", value_delimiter = ',', value_parser = origin)]
    pub cors_origins: Vec<String>,

    /// Folder for the SQLite database, the key file and the working folders of processes.
    #[arg(long, global = true, env = "WINDLASS_DATA_DIR", default_value = "windlass-data")]
    pub data_dir: PathBuf,

    /// Folder for the scratch folders of plain processes [default: processes in the data folder].
    #[arg(long, global = true, env = "WINDLASS_PROCESS_DIR")]
    pub process_dir: Option<PathBuf>,

    /// User that plain processes run as, unless their job names another one. Jobs may then name neither root nor the user of the
    /// server, which has to run as root. The user must be able to enter --process-dir.
    #[arg(long, global = true, env = "WINDLASS_PROCESS_USER", requires = "process_dir")]
    pub process_user: Option<String>,

    /// PostgreSQL or SQLite URL [default: windlass.db in the data folder].
    #[arg(long, global = true, env = "WINDLASS_DATABASE_URL", hide_env_values = true)]
    pub database_url: Option<String>,

    /// Maximum number of database connections.
    #[arg(long, global = true, env = "WINDLASS_DATABASE_CONNECTIONS", default_value_t = 10)]
    pub database_connections: u32,

    /// OIDC issuer whose JWTs are accepted; without it, only API tokens are accepted.
    #[arg(long, global = true, env = "WINDLASS_OIDC_ISSUER")]
    pub oidc_issuer: Option<String>,

    /// Audience that JWTs must name.
    #[arg(long, global = true, env = "WINDLASS_OIDC_AUDIENCE", requires = "oidc_issuer")]
    pub oidc_audience: Option<String>,

    /// Take the email address of a JWT without the claim `email_verified` for verified. Only for issuers that verify every address
    /// and never send the claim; otherwise people can take the invitations of others. A claim that is not `true` still counts.
    #[arg(long, global = true, env = "WINDLASS_OIDC_ASSUME_EMAIL_VERIFIED", requires = "oidc_issuer")]
    pub oidc_assume_email_verified: bool,

    /// Client of the OIDC issuer with which people sign in to the console. Its redirect address is PUBLIC-URL/console/sign-in/callback.
    #[arg(long, global = true, env = "WINDLASS_OIDC_CLIENT_ID", requires = "oidc_issuer")]
    pub oidc_client_id: Option<String>,

    /// Secret of that client, if it has one. Use the variable, because other users of the machine can read the command line.
    #[arg(long, global = true, env = "WINDLASS_OIDC_CLIENT_SECRET", hide_env_values = true, value_parser = hidden,
          requires = "oidc_client_id")]
    pub oidc_client_secret: Option<Secret<String>>,

    /// Client of the OIDC issuer with which people sign in on the command line (`windlass login --device`). It has no secret, and needs the
    /// device flow; by default the client of the console, if that has no secret.
    #[arg(long, global = true, env = "WINDLASS_OIDC_DEVICE_CLIENT_ID", requires = "oidc_issuer")]
    pub oidc_device_client_id: Option<String>,

    /// After how many hours people have to sign in to the console again.
    #[arg(long, global = true, env = "WINDLASS_SESSION_HOURS", default_value_t = 12, value_parser = clap::value_parser!(u32).range(1..=8760))]
    pub session_hours: u32,

    /// Who may create organizations: `anyone`, `owner` (of the first organization), email addresses, and domains such as
    /// `@example.com`, separated by commas [default: anyone if the server listens on loopback; otherwise owner].
    #[arg(long, global = true, env = "WINDLASS_ORGANIZATION_CREATORS", value_delimiter = ',')]
    pub organization_creators: Vec<Creator>,

    /// The `plan` that the Qovery-compatible API returns for new organizations; clients show features by it.
    #[arg(long, global = true, env = "WINDLASS_ORGANIZATION_PLAN", value_parser = PLANS, default_value = "ENTERPRISE",
        hide_possible_values = true)]
    pub organization_plan: String,

    /// Which new organizations get the cluster `local`, and so run jobs on the server's machine.
    #[arg(long, global = true, env = "WINDLASS_LOCAL_CLUSTER", value_enum, default_value = "auto")]
    pub local_cluster: LocalCluster,

    /// Days until a new token expires, if whoever creates it names no end (0: never).
    #[arg(long, global = true, env = "WINDLASS_TOKEN_DAYS", default_value_t = 365,
          value_parser = clap::value_parser!(u32).range(0..=36_500))]
    pub token_days: u32,

    /// Run workspace steps in the Kubernetes cluster of their organization, if it has one, even if they could run on
    /// the server's machine.
    #[arg(long, global = true, env = "WINDLASS_WORKSPACES_IN_CLUSTERS")]
    pub workspaces_in_clusters: bool,

    /// Accept the literal kubeconfig `in-cluster`, which selects the cluster that this server runs in, with its service
    /// account. Enable only if everyone who may manage clusters may act with that account.
    #[arg(long, global = true, env = "WINDLASS_IN_CLUSTER")]
    pub in_cluster: bool,

    /// File with the keys that seal stored secrets [default: secret.key in the data folder].
    #[arg(long, global = true, env = "WINDLASS_SECRET_KEY_FILE",
          conflicts_with_all = ["secret_keys", "secret_key_command"])]
    pub secret_key_file: Option<PathBuf>,

    /// The keys that seal stored secrets, separated by commas, instead of a file. Use the variable, because other users of
    /// the machine can read the command line.
    #[arg(long, global = true, env = "WINDLASS_SECRET_KEYS", hide_env_values = true, value_parser = hidden,
          conflicts_with = "secret_key_command")]
    pub secret_keys: Option<Secret<String>>,

    /// Program that writes the keys that seal stored secrets, one per line, with its arguments, separated by spaces. It runs
    /// when the server starts, without a shell.
    #[arg(long, global = true, env = "WINDLASS_SECRET_KEY_COMMAND", hide_env_values = true)]
    pub secret_key_command: Option<String>,

    /// Runner of the cluster `local`.
    #[arg(long, global = true, env = "WINDLASS_RUNNER", value_enum, default_value = "auto")]
    pub runner: RunnerChoice,

    /// Docker Engine address, `unix:///path` or `tcp://host:port` [default: the local socket].
    #[arg(long, global = true, env = "WINDLASS_DOCKER_HOST")]
    pub docker_host: Option<String>,

    /// Folder with Terraform and OpenTofu programs, such as `tofu` or `tofu-1.12.6`; searched first.
    #[arg(long, global = true, env = "WINDLASS_TOOLS")]
    pub tools: Option<PathBuf>,

    /// URL under which workspace steps reach the server [default: its listen address for processes, the public URL for
    /// containers].
    #[arg(long, global = true, env = "WINDLASS_STEP_URL")]
    pub step_url: Option<String>,

    /// Terraform image, without a tag, for workspace steps in containers.
    #[arg(long, global = true, env = "WINDLASS_TERRAFORM_IMAGE", default_value = "hashicorp/terraform")]
    pub terraform_image: String,

    /// OpenTofu image, without a tag, for workspace steps in containers.
    #[arg(long, global = true, env = "WINDLASS_OPENTOFU_IMAGE", default_value = "ghcr.io/opentofu/opentofu")]
    pub opentofu_image: String,

    /// Allow workspaces to read repositories on the server's machine by `file://` URLs.
    #[arg(long, global = true, env = "WINDLASS_LOCAL_REPOSITORIES")]
    pub local_repositories: bool,

    /// Maximum concurrent runs on this server, up to 20000 (0 disables).
    #[arg(long, global = true, env = "WINDLASS_MAX_RUNS", default_value_t = 16,
          value_parser = clap::value_parser!(u32).range(0..=20_000))]
    pub max_runs: u32,

    /// Seconds after which an attempt that cannot be started fails, from when a runner was asked to start it.
    #[arg(long, global = true, env = "WINDLASS_START_TIMEOUT_SECONDS", default_value_t = 300)]
    pub start_timeout_seconds: u32,

    /// Seconds between SIGTERM and SIGKILL when a run is stopped.
    #[arg(long, global = true, env = "WINDLASS_STOP_GRACE_SECONDS", default_value_t = 10)]
    pub stop_grace_seconds: u32,

    /// Seconds that plain processes have to end when the server shuts down; those left are then killed.
    #[arg(long, global = true, env = "WINDLASS_SHUTDOWN_GRACE_SECONDS", default_value_t = 60)]
    pub shutdown_grace_seconds: u32,

    /// Seconds after which a run that waits for a free slot fails.
    #[arg(long, global = true, env = "WINDLASS_QUEUE_TIMEOUT_SECONDS", default_value_t = 86_400)]
    pub queue_timeout_seconds: u32,

    /// Seconds after which a run that is cancelled no longer waits for a container engine or cluster that does not respond.
    #[arg(long, global = true, env = "WINDLASS_LOST_TIMEOUT_SECONDS", default_value_t = 900)]
    pub lost_timeout_seconds: u32,

    /// Seconds that a workspace step waits for the lock of its state while somebody else holds it.
    #[arg(long, global = true, env = "WINDLASS_STATE_LOCK_TIMEOUT_SECONDS", default_value_t = 300)]
    pub state_lock_timeout_seconds: u32,

    /// Maximum stored log of a run, in MiB.
    #[arg(long, global = true, env = "WINDLASS_LOG_MIB", default_value_t = 64)]
    pub log_mib: u32,

    /// Days to keep skipped times of schedules.
    #[arg(long, global = true, env = "WINDLASS_SKIPPED_DAYS", default_value_t = 90, value_parser = kept_days())]
    pub skipped_days: u32,

    /// Days to keep ended deployments; those that states are derived from are kept longer.
    #[arg(long, global = true, env = "WINDLASS_DEPLOYMENT_DAYS", default_value_t = 365, value_parser = kept_days())]
    pub deployment_days: u32,

    /// Days to keep events.
    #[arg(long, global = true, env = "WINDLASS_EVENT_DAYS", default_value_t = 365, value_parser = kept_days())]
    pub event_days: u32,

    /// Days to keep webhook deliveries and messages about alerts that have ended.
    #[arg(long, global = true, env = "WINDLASS_WEBHOOK_DELIVERY_DAYS", default_value_t = 30, value_parser = kept_days())]
    pub webhook_delivery_days: u32,

    /// Days to keep workspace jobs that have ended, with their steps and logs.
    #[arg(long, global = true, env = "WINDLASS_WORKSPACE_JOB_DAYS", default_value_t = 365, value_parser = kept_days())]
    pub workspace_job_days: u32,

    /// Days that a workspace job waits for its approval before it is cancelled.
    #[arg(long, global = true, env = "WINDLASS_APPROVAL_DAYS", default_value_t = 7, value_parser = kept_days())]
    pub approval_days: u32,

    /// Days to keep Terraform state versions; the newest of a workspace stays.
    #[arg(long, global = true, env = "WINDLASS_STATE_VERSION_DAYS", default_value_t = 365, value_parser = kept_days())]
    pub state_version_days: u32,

    /// Minutes after which the tags of a module of the private registry are read again.
    #[arg(long, global = true, env = "WINDLASS_MODULE_REFRESH_MINUTES", default_value_t = 60,
          value_parser = clap::value_parser!(u32).range(1..=43_200))]
    pub module_refresh_minutes: u32,

    /// Size limit of a file in the private registry, in MiB: a provider for one platform, or the archive of a module.
    #[arg(long, global = true, env = "WINDLASS_REGISTRY_FILE_MIB", default_value_t = 256,
          value_parser = clap::value_parser!(u32).range(1..=4096))]
    pub registry_file_mib: u32,

    /// Size limit of all files that an organization has in the private registry, in MiB.
    #[arg(long, global = true, env = "WINDLASS_REGISTRY_ORGANIZATION_MIB", default_value_t = 4096,
          value_parser = clap::value_parser!(u32).range(1..))]
    pub registry_organization_mib: u32,

    /// Allow webhooks and receivers of alerts to call loopback, private and other special addresses.
    #[arg(long, global = true, env = "WINDLASS_WEBHOOK_PRIVATE_ADDRESSES")]
    pub webhook_private_addresses: bool,

    /// Address that is requested (GET) at an interval while this server is well, so that another service notices when it is not. It may
    /// be a private one. Use the variable, because such an address often contains a key.
    #[arg(long, global = true, env = "WINDLASS_HEARTBEAT_URL", hide_env_values = true, value_parser = web_address)]
    pub heartbeat_url: Option<Secret<String>>,

    /// Seconds between the requests to --heartbeat-url.
    #[arg(long, global = true, env = "WINDLASS_HEARTBEAT_SECONDS", default_value_t = 60,
          value_parser = clap::value_parser!(u32).range(5..=86_400))]
    pub heartbeat_seconds: u32,

    /// Seconds between the polls of a branch that jobs with `auto_deploy` are built from; 0 polls never.
    #[arg(long, global = true, env = "WINDLASS_AUTO_DEPLOY_SECONDS", default_value_t = 300,
          value_parser = clap::value_parser!(u32).range(0..=86_400))]
    pub auto_deploy_seconds: u32,

    /// OpenTelemetry collector for traces (OTLP over HTTP), such as `http://127.0.0.1:4318`; unset disables traces.
    #[arg(long, global = true, env = "WINDLASS_OTLP_ENDPOINT", hide_env_values = true)]
    pub otlp_endpoint: Option<String>,

    /// Log filter: a comma-separated list of target=level.
    #[arg(long, global = true, env = "WINDLASS_LOG", default_value = "info,sqlx=warn,sea_orm_migration=warn")]
    pub log: String,

    /// Log format.
    #[arg(long, global = true, env = "WINDLASS_LOG_FORMAT", value_enum, default_value = "text")]
    pub log_format: LogFormat,

    /// The program that supervises plain processes; by default this program itself.
    #[arg(skip)]
    pub supervisor: Option<PathBuf>,
}

/// The variables of the settings that may contain secrets: those whose values are not shown.
#[must_use]
pub fn secret_variables() -> Vec<OsString> {
    let settings = Config::augment_args(clap::Command::new("windlass"));
    let secret = settings.get_arguments().filter(|setting| setting.is_hide_env_values_set());
    secret.filter_map(|setting| setting.get_env().map(OsString::from)).collect()
}

/// The variable with the passphrase of the keys in a backup. It is not a flag, because other users can read the command line.
pub const BACKUP_PASSPHRASE: &str = "WINDLASS_BACKUP_PASSPHRASE";

/// The passphrase of the keys in a backup, if it is set.
#[must_use]
pub fn backup_passphrase() -> Option<Secret<String>> {
    #[expect(clippy::disallowed_methods, reason = "this is the file that reads the environment")]
    std::env::var(BACKUP_PASSPHRASE).ok().map(Secret::new)
}

impl Config {
    /// Which certificate authorities the server trusts, as variables. A step that runs on its machine reaches the server like everything
    /// else there.
    #[must_use]
    pub fn trusted_certificates(&self) -> Vec<(String, String)> {
        let texts = inherited_environment().into_iter();
        let texts = texts.filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        texts.filter(|(name, _)| name.starts_with("SSL_CERT_")).collect()
    }

    /// When a token ends that is created now without an end of its own.
    #[must_use]
    pub fn token_end(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        (self.token_days > 0).then(|| now + TimeDelta::days(self.token_days.into()))
    }

    /// The URL of the database.
    #[must_use]
    pub fn database_url(&self) -> String {
        self.database_url
            .clone()
            .unwrap_or_else(|| format!("sqlite://{}?mode=rwc", self.data_dir.join("windlass.db").display()))
    }

    /// The scheme of the server's own address.
    #[must_use]
    pub fn scheme(&self) -> &'static str {
        if self.tls_certificate.is_some() { "https" } else { "http" }
    }

    /// The folder of the scratch folders of plain processes.
    #[must_use]
    pub fn process_dir(&self) -> PathBuf {
        self.process_dir.clone().unwrap_or_else(|| self.data_dir.join("processes"))
    }

    /// The path of the key file.
    #[must_use]
    pub fn secret_key_file(&self) -> PathBuf {
        self.secret_key_file.clone().unwrap_or_else(|| self.data_dir.join("secret.key"))
    }

    /// Where the keys come from.
    #[must_use]
    pub fn key_source(&self) -> KeySource {
        match (&self.secret_keys, &self.secret_key_command) {
            (Some(keys), _) => KeySource::Keys(keys.clone()),
            (None, Some(command)) => KeySource::Command(command.clone(), secret_variables()),
            (None, None) => KeySource::File(self.secret_key_file()),
        }
    }
}
