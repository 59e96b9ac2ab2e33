//! The values of settings that are not plain numbers or texts, and the bounds of those that are.

use std::str::FromStr;

use clap::ValueEnum;
use clap::builder::RangedI64ValueParser;

use crate::secret::Secret;

/// The runner of the cluster `local`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RunnerChoice {
    /// Docker if an engine responds at startup; otherwise plain processes if the server listens on loopback.
    Auto,
    /// Docker, even if the engine does not respond at startup.
    Docker,
    /// Plain processes, on any listen address.
    Process,
}

/// The format of the server's log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    Text,
    Json,
}

/// Which new organizations get the cluster `local`, which is this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LocalCluster {
    /// All of them if the server listens on loopback; otherwise none.
    Auto,
    Always,
    Never,
}

/// Who may create organizations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Creator {
    Anyone,
    /// The owner of the first organization.
    Owner,
    /// The person with this verified email address.
    Address(String),
    /// Everybody with a verified email address at this host.
    Host(String),
}

impl FromStr for Creator {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match (text, text.split_once('@')) {
            ("anyone", _) => Ok(Self::Anyone),
            ("owner", _) => Ok(Self::Owner),
            (_, Some((_, host))) if host.is_empty() || host.contains('@') => Err(CREATORS),
            (_, Some(("", host))) => Ok(Self::Host(host.to_owned())),
            (address, Some(_)) => Ok(Self::Address(address.to_owned())),
            _ => Err(CREATORS),
        }
    }
}

const CREATORS: &str = "must be anyone, owner, an email address, or @ and a domain";

/// The official names of plans.
pub(super) const PLANS: [&str; 11] = [
    "FREE",
    "TEAM",
    "TEAM_YEARLY",
    "ENTERPRISE",
    "ENTERPRISE_YEARLY",
    "PROFESSIONAL",
    "BUSINESS",
    "USER_2025",
    "TEAM_2025",
    "BUSINESS_2025",
    "ENTERPRISE_2025",
];

/// For how many days rows can be kept: up to a hundred years.
pub(super) fn kept_days() -> RangedI64ValueParser<u32> {
    clap::value_parser!(u32).range(1..=36_500)
}

/// The origin of a web page.
pub(super) fn origin(text: &str) -> Result<String, &'static str> {
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).unwrap_or_default();
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-.:[]".contains(&byte);
    if host.is_empty() || !host.bytes().all(allowed) {
        return Err("must be http:// or https:// and a host, with a port if necessary, and without a path");
    }
    Ok(text.to_ascii_lowercase())
}

/// A value that is not shown.
pub(super) fn hidden(text: &str) -> Result<Secret<String>, std::convert::Infallible> {
    Ok(Secret::new(text.to_owned()))
}

/// An address to request, which is not shown.
pub(super) fn web_address(text: &str) -> Result<Secret<String>, &'static str> {
    let has_scheme = text.starts_with("http://") || text.starts_with("https://");
    let has_host = reqwest::Url::parse(text).is_ok_and(|url| url.has_host());
    if has_scheme && has_host {
        return Ok(Secret::new(text.to_owned()));
    }
    Err("must be an address that begins with http:// or https://")
}

/// Time limits of connections: up to a day.
pub(super) fn timeout() -> RangedI64ValueParser<u32> {
    clap::value_parser!(u32).range(1..=86_400)
}
