//! Settings that do not fit together. What the command line refuses by itself is not repeated here.

use std::path::Path;

use super::finding::Finding;
use crate::config::{Config, RunnerChoice};
use crate::runner::process::runs_as_root;
use crate::server::plain_http_warning;

/// Where Kubernetes puts the service account of a pod.
const SERVICE_ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount/token";

/// All that do not fit, or one finding that says that all do.
pub(super) fn check(config: &Config) -> Vec<Finding> {
    let mut found: Vec<Finding> = Vec::new();
    found.extend(addresses(config));
    found.extend(transport(config));
    found.extend(runners(config));
    if config.oidc_issuer.is_some() && config.oidc_audience.is_none() {
        let detail = "--oidc-issuer is set without --oidc-audience";
        found.push(Finding::wrong(
            "settings",
            detail,
            "set --oidc-audience to the audience that the issuer writes for this server",
        ));
    }
    if config.in_cluster && !Path::new(SERVICE_ACCOUNT).exists() {
        let detail = format!("--in-cluster is set, and there is no service account at {SERVICE_ACCOUNT}");
        found.push(Finding::wrong(
            "settings",
            detail,
            "remove --in-cluster, or run the server in a pod with a service account",
        ));
    }
    if config.max_runs == 0 {
        found.push(Finding::warning(
            "settings",
            "--max-runs is 0, so this server starts no run",
            "set it to 1 or more",
        ));
    }
    if found.is_empty() {
        found.push(Finding::ok("settings", "they fit together"));
    }
    found
}

fn addresses(config: &Config) -> Vec<Finding> {
    let mut found = Vec::new();
    for (flag, value) in [("--public-url", &config.public_url), ("--step-url", &config.step_url)] {
        let Some(text) = value else { continue };
        let is_address =
            reqwest::Url::parse(text).is_ok_and(|url| url.has_host() && matches!(url.scheme(), "http" | "https"));
        if !is_address {
            let detail = format!("{flag} is {text:?}, which is no address");
            found.push(Finding::wrong("settings", detail, "begin it with http:// or https://, followed by a host"));
        }
    }
    found
}

fn transport(config: &Config) -> Vec<Finding> {
    let mut found = Vec::new();
    if let Some(warning) = plain_http_warning(config) {
        let (detail, remedy) = warning.split_once(". ").unwrap_or((warning, ""));
        found.push(Finding::warning("settings", detail, remedy));
    }
    let is_plain = config.public_url.as_deref().is_some_and(|url| url.starts_with("http://"));
    if is_plain && config.tls_certificate.is_some() {
        let detail = "--public-url begins with http://, and the server speaks TLS";
        found.push(Finding::wrong("settings", detail, "begin --public-url with https://"));
    } else if is_plain && config.behind_tls_proxy {
        let detail = "--public-url begins with http://, and a proxy terminates TLS";
        found.push(Finding::warning(
            "settings",
            detail,
            "begin --public-url with https://, so that links and cookies are protected",
        ));
    }
    if config.tls_certificate.is_some() && config.behind_tls_proxy {
        let detail = "--behind-tls-proxy has no effect, because the server speaks TLS itself";
        found.push(Finding::warning(
            "settings",
            detail,
            "remove --behind-tls-proxy, or --tls-certificate and --tls-key",
        ));
    }
    let files = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    if let Some(files) = files.filter(|files| files / 2 < u64::from(config.max_connections)) {
        let detail = format!(
            "{files} files may be open, so --max-connections is {} instead of {}",
            files / 2,
            config.max_connections
        );
        found.push(Finding::warning("settings", detail, "raise the limit of open files (LimitNOFILE of the service)"));
    }
    found
}

fn runners(config: &Config) -> Vec<Finding> {
    let mut found = Vec::new();
    let processes = config.runner == RunnerChoice::Process || config.tools.is_some();
    if config.process_user.is_some() && config.runner == RunnerChoice::Docker && !processes {
        let detail = "--process-user has no effect, because nothing runs as a plain process";
        found.push(Finding::warning("settings", detail, "remove it, or set --runner process"));
    }
    if processes && config.process_user.is_none() && runs_as_root() {
        let detail = "plain processes run as root: a job can read the key file, the database and whatever else is on this machine";
        found.push(Finding::warning("settings", detail, "run the server as another user, or set --process-user"));
    }
    // Containers have a loopback of their own.
    let reached = config.step_url.as_ref().or(config.public_url.as_ref());
    let is_own = |url: &String| ["//127.", "//localhost", "//[::1]"].iter().any(|own| url.contains(own));
    if config.runner == RunnerChoice::Docker && config.tools.is_none() && reached.is_none_or(is_own) {
        let detail = "workspace steps in containers cannot reach the server at a loopback address";
        found.push(Finding::warning(
            "settings",
            detail,
            "set --step-url or --public-url to an address that containers reach",
        ));
    }
    found
}
