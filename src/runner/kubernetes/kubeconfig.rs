//! Kubeconfigs, and the client of a cluster.

use std::time::Duration;

use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};

use super::api_error::chain;
use crate::input::read_yaml;

/// Used instead of a kubeconfig, this selects the cluster that the server itself runs in.
pub const IN_CLUSTER: &str = "in-cluster";

const CONNECT: Duration = Duration::from_secs(5);

/// Parses a self-contained kubeconfig: one that refers to no files on this machine and to no programs to run.
///
/// # Errors
/// The problem, as a text that follows the name of the field.
pub fn parse_kubeconfig(text: &str) -> Result<Kubeconfig, String> {
    read_yaml::check(text).map_err(|refusal| format!("is not a kubeconfig: {refusal}"))?;
    let config: Kubeconfig = Kubeconfig::from_yaml(text).map_err(|e| format!("is not a kubeconfig: {e}"))?;
    if config.clusters.is_empty() {
        return Err("is not a kubeconfig: it has no list of clusters".into());
    }
    let context = match &config.current_context {
        Some(wanted) if !wanted.is_empty() => config.contexts.iter().find(|context| context.name == *wanted),
        _ => return Err("has no current-context".into()),
    };
    if context.is_none() {
        return Err("does not define the context named by current-context".into());
    }
    for cluster in config.clusters.iter().filter_map(|named| named.cluster.as_ref()) {
        let of_files = [("certificate-authority", cluster.certificate_authority.is_some())];
        refuse_files(&of_files)?;
        if cluster.proxy_url.is_some() {
            return Err("has a proxy-url, which is not supported".into());
        }
    }
    for user in config.auth_infos.iter().filter_map(|named| named.auth_info.as_ref()) {
        refuse_files(&[
            ("client-certificate", user.client_certificate.is_some()),
            ("client-key", user.client_key.is_some()),
            ("tokenFile", user.token_file.is_some()),
        ])?;
        if user.exec.is_some() || user.auth_provider.is_some() {
            return Err("starts a program to log in (exec or auth-provider), which is not supported; \
                        use the token of a service account or a client certificate"
                .into());
        }
    }
    Ok(config)
}

fn refuse_files(fields: &[(&str, bool)]) -> Result<(), String> {
    match fields.iter().find(|(_, there)| *there) {
        Some((field, _)) => Err(format!("names a file in {field}; embed its content as {field}-data or token")),
        None => Ok(()),
    }
}

/// The client of a cluster.
pub(super) async fn client(kubeconfig: &str) -> Result<Client, String> {
    let mut config = if kubeconfig.trim() == IN_CLUSTER {
        Config::incluster().map_err(|e| format!("this server does not run in a cluster: {e}"))?
    } else {
        let parsed = parse_kubeconfig(kubeconfig)?;
        Config::from_custom_kubeconfig(parsed, &KubeConfigOptions::default()).await.map_err(|e| chain(&e))?
    };
    config.connect_timeout = Some(CONNECT);
    Client::try_from(config).map_err(|e| chain(&e))
}

#[cfg(test)]
mod tests {
    use super::parse_kubeconfig;

    const PLAIN: &str = "apiVersion: v1\nkind: Config\ncurrent-context: x\n\
        clusters: [{name: c, cluster: {server: 'https://127.0.0.1:1'}}]\n\
        contexts: [{name: x, context: {cluster: c, user: u}}]\nusers: [{name: u, user: {token: t}}]\n";

    #[test]
    fn kubeconfigs_that_need_files_or_programs_are_rejected() {
        assert!(parse_kubeconfig(PLAIN).is_ok());
        for (from, to, expected) in [
            ("token: t", "tokenFile: /etc/passwd", "tokenFile"),
            ("token: t", "exec: {apiVersion: client.authentication.k8s.io/v1, command: sh}", "starts a program"),
            ("token: t", "client-key: /x", "client-key"),
            ("server:", "certificate-authority: /x, server:", "certificate-authority"),
            ("current-context: x", "current-context: y", "current-context"),
            ("clusters: [", "nothing: [", "no list of clusters"),
        ] {
            let refused = parse_kubeconfig(&PLAIN.replacen(from, to, 1)).unwrap_err();
            assert!(refused.contains(expected), "{to}: {refused}");
        }
    }
}
