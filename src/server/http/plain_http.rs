//! The warning about plain HTTP.

use crate::config::Config;

/// The warning, if credentials and secrets could be read on the way to the server.
#[must_use]
pub fn plain_http_warning(config: &Config) -> Option<&'static str> {
    let is_private = config.listen.ip().is_loopback() || config.behind_tls_proxy || config.tls_certificate.is_some();
    (!is_private).then_some(
        "plain HTTP on an address that others can reach: tokens and secrets can be read on the way. Set --tls-certificate and \
         --tls-key, or --behind-tls-proxy if a proxy terminates TLS",
    )
}
