//! Settings: one struct, each setting a flag and a `WINDLASS_*` variable. The only reader of the environment.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Where the runs of the cluster `local` run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RunnerChoice {
    /// Docker where an engine answers at the start, else plain processes if only this machine can call.
    Auto,
    /// Docker, also when the engine does not answer yet.
    Docker,
    /// Plain processes, wherever the server listens.
    Process,
}

/// How log lines of the server look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    Text,
    Json,
}

/// All settings.
#[derive(Clone, Debug, Args)]
pub struct Config {
    /// Address to listen on.
    #[arg(long, global = true, env = "WINDLASS_LISTEN", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,

    /// Where clients reach the server, for links in answers; the default is http:// and the address it listens on.
    #[arg(long, global = true, env = "WINDLASS_PUBLIC_URL")]
    pub public_url: Option<String>,

    /// Folder of the SQLite database, the key file and the scratch folders of processes.
    #[arg(long, global = true, env = "WINDLASS_DATA_DIR", default_value = "windlass-data")]
    pub data_dir: PathBuf,

    /// PostgreSQL or SQLite URL; the default is windlass.db in the data folder.
    #[arg(long, global = true, env = "WINDLASS_DATABASE_URL", hide_env_values = true)]
    pub database_url: Option<String>,

    /// Most connections to the database.
    #[arg(long, global = true, env = "WINDLASS_DATABASE_CONNECTIONS", default_value_t = 10)]
    pub database_connections: u32,

    /// Issuer of the JWTs that are accepted; without it only API tokens are.
    #[arg(long, global = true, env = "WINDLASS_OIDC_ISSUER")]
    pub oidc_issuer: Option<String>,

    /// Audience that a JWT must name.
    #[arg(long, global = true, env = "WINDLASS_OIDC_AUDIENCE", requires = "oidc_issuer")]
    pub oidc_audience: Option<String>,

    /// Runs the steps of workspaces in the Kubernetes cluster of their organization, where it has one, also when they could
    /// be run where the server is.
    #[arg(long, global = true, env = "WINDLASS_WORKSPACES_IN_CLUSTERS")]
    pub workspaces_in_clusters: bool,

    /// Lets clusters be registered with `in-cluster` in the place of a kubeconfig: then jobs run in the cluster that this
    /// server runs in, with its service account. Only where everybody who may manage clusters may do so.
    #[arg(long, global = true, env = "WINDLASS_IN_CLUSTER")]
    pub in_cluster: bool,

    /// File of the keys that seal stored secrets; the default is secret.key in the data folder.
    #[arg(long, global = true, env = "WINDLASS_SECRET_KEY_FILE")]
    pub secret_key_file: Option<PathBuf>,

    /// Where the runs of the cluster local run.
    #[arg(long, global = true, env = "WINDLASS_RUNNER", value_enum, default_value = "auto")]
    pub runner: RunnerChoice,

    /// Docker Engine address, `unix:///path` or `tcp://host:port`; the default is the local socket.
    #[arg(long, global = true, env = "WINDLASS_DOCKER_HOST")]
    pub docker_host: Option<String>,

    /// Folder of programs of Terraform and OpenTofu, as `tofu` or `tofu-1.12.6`; looked in before the usual places.
    #[arg(long, global = true, env = "WINDLASS_TOOLS")]
    pub tools: Option<PathBuf>,

    /// Where steps of workspaces reach the server; the default is its own address for processes, and the public URL for
    /// containers.
    #[arg(long, global = true, env = "WINDLASS_STEP_URL")]
    pub step_url: Option<String>,

    /// Image of Terraform, without a tag, where steps of workspaces run in containers.
    #[arg(long, global = true, env = "WINDLASS_TERRAFORM_IMAGE", default_value = "hashicorp/terraform")]
    pub terraform_image: String,

    /// Image of OpenTofu, without a tag, where steps of workspaces run in containers.
    #[arg(long, global = true, env = "WINDLASS_OPENTOFU_IMAGE", default_value = "ghcr.io/opentofu/opentofu")]
    pub opentofu_image: String,

    /// Whether workspaces may read repositories of this machine, as `file://`.
    #[arg(long, global = true, env = "WINDLASS_LOCAL_REPOSITORIES")]
    pub local_repositories: bool,

    /// Most runs at the same time on this server, at most 20000; with 0 it starts none.
    #[arg(long, global = true, env = "WINDLASS_MAX_RUNS", default_value_t = 16,
          value_parser = clap::value_parser!(u32).range(0..=20_000))]
    pub max_runs: u32,

    /// Seconds after which a run that could not be started fails.
    #[arg(long, global = true, env = "WINDLASS_START_TIMEOUT_SECONDS", default_value_t = 300)]
    pub start_timeout_seconds: u32,

    /// Seconds between the polite and the forced end of a run that is stopped.
    #[arg(long, global = true, env = "WINDLASS_STOP_GRACE_SECONDS", default_value_t = 10)]
    pub stop_grace_seconds: u32,

    /// Seconds after which a run that waits for a place fails.
    #[arg(long, global = true, env = "WINDLASS_QUEUE_TIMEOUT_SECONDS", default_value_t = 86_400)]
    pub queue_timeout_seconds: u32,

    /// Seconds after which a run whose engine does not answer counts as lost.
    #[arg(long, global = true, env = "WINDLASS_LOST_TIMEOUT_SECONDS", default_value_t = 900)]
    pub lost_timeout_seconds: u32,

    /// Most MiB that are kept of the log of a run.
    #[arg(long, global = true, env = "WINDLASS_LOG_MIB", default_value_t = 64)]
    pub log_mib: u32,

    /// Days for which times that were not run are kept.
    #[arg(long, global = true, env = "WINDLASS_SKIPPED_DAYS", default_value_t = 90)]
    pub skipped_days: u32,

    /// Whether webhooks may call loopback, private and other special addresses.
    #[arg(long, global = true, env = "WINDLASS_WEBHOOK_PRIVATE_ADDRESSES")]
    pub webhook_private_addresses: bool,

    /// Collector of OpenTelemetry traces, OTLP over HTTP, such as `http://127.0.0.1:4318`; without it none are sent.
    #[arg(long, global = true, env = "WINDLASS_OTLP_ENDPOINT")]
    pub otlp_endpoint: Option<String>,

    /// What is logged: a list of target=level.
    #[arg(long, global = true, env = "WINDLASS_LOG", default_value = "info,sqlx=warn,sea_orm_migration=warn")]
    pub log: String,

    /// How it is logged.
    #[arg(long, global = true, env = "WINDLASS_LOG_FORMAT", value_enum, default_value = "text")]
    pub log_format: LogFormat,
}

impl Config {
    /// The database to connect to.
    #[must_use]
    pub fn database_url(&self) -> String {
        self.database_url
            .clone()
            .unwrap_or_else(|| format!("sqlite://{}?mode=rwc", self.data_dir.join("windlass.db").display()))
    }

    /// The file of the sealing keys.
    #[must_use]
    pub fn secret_key_file(&self) -> PathBuf {
        self.secret_key_file.clone().unwrap_or_else(|| self.data_dir.join("secret.key"))
    }
}
