//! The flags that all commands share.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Where the server is, and how answers are written.
#[derive(Args)]
pub(crate) struct Options {
    /// Address of the server; by default that of the context, or <http://127.0.0.1:8080>.
    #[arg(long, global = true, env = "WINDLASS_URL")]
    pub(crate) url: Option<String>,
    /// API token; by default that of the context. Other users of a machine can read its command lines: prefer the variable.
    #[arg(long, global = true, env = "WINDLASS_TOKEN", hide_env_values = true)]
    pub(crate) token: Option<String>,
    /// Name or id of the organization; optional if there is only one.
    #[arg(long, global = true, env = "WINDLASS_ORGANIZATION")]
    pub(crate) organization: Option<String>,
    /// The stored context to use, see `windlass login`.
    #[arg(long, global = true, env = "WINDLASS_CONTEXT")]
    pub(crate) context: Option<String>,
    /// How to write: `table` is for people on a terminal, and tab-separated elsewhere.
    #[arg(long, short, global = true, value_enum, default_value = "table")]
    pub(crate) output: Format,
    /// Folder of the stored contexts.
    #[arg(long, global = true, env = "WINDLASS_CONFIG_FOLDER", hide = true)]
    pub(crate) config_folder: Option<PathBuf>,
    #[arg(long, global = true, env = "XDG_CONFIG_HOME", hide = true)]
    pub(crate) xdg_config_home: Option<PathBuf>,
    #[arg(long, global = true, env = "HOME", hide = true)]
    pub(crate) home: Option<PathBuf>,
    #[arg(long, global = true, env = "NO_COLOR", hide = true)]
    pub(crate) no_color: Option<String>,
}

/// How answers are written.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Table,
    /// As the API answers, indented.
    Json,
    Yaml,
}
