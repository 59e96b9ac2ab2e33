//! The part of the server's environment that other programs get.

use std::ffi::OsString;

/// What the programs that the server starts get of its environment. Anything else may be a secret, of Windlass or of somebody else.
#[must_use]
pub fn inherited_environment() -> Vec<(OsString, OsString)> {
    const NAMES: [&str; 6] = ["PATH", "HOME", "TMPDIR", "LANG", "TZ", "LD_LIBRARY_PATH"];
    const NETWORK: [&str; 10] = [
        "http_proxy",
        "https_proxy",
        "HTTPS_PROXY",
        "all_proxy",
        "ALL_PROXY",
        "no_proxy",
        "NO_PROXY",
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
        "CURL_CA_BUNDLE",
    ];
    let is_inherited = |name: &str| NAMES.contains(&name) || NETWORK.contains(&name) || name.starts_with("GIT_SSL_");
    std::env::vars_os().filter(|(name, _)| name.to_str().is_some_and(is_inherited)).collect()
}
