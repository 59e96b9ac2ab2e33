//! An HTTP client that connects to allowed addresses only.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;
use reqwest::{Client, Url};
use tokio::time::Instant;

use super::address;
use crate::error::Result;

/// The timeout of a request, including the response.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// For how long a client is kept.
const KEPT: Duration = Duration::from_secs(60);

/// A client that connects to public addresses only, unless `private` ones are allowed.
///
/// # Errors
/// When the certificates of the machine cannot be read.
pub fn client(private: bool) -> reqwest::Result<Client> {
    Client::builder()
        .redirect(Policy::none())
        .timeout(PATIENCE)
        .no_proxy()
        .dns_resolver(Arc::new(Resolver { private }))
        .user_agent(concat!("Windlass/", env!("CARGO_PKG_VERSION")))
        .build()
}

/// A client that is kept for a while.
#[derive(Default)]
pub(super) struct KeptClient(Option<(Client, Instant)>);

impl KeptClient {
    /// The client, or a new one, which reads the certificates of the machine.
    ///
    /// # Errors
    /// When these cannot be read.
    pub(super) fn get(&mut self, private: bool) -> reqwest::Result<Client> {
        if let Some((kept, made_at)) = &self.0
            && made_at.elapsed() < KEPT
        {
            return Ok(kept.clone());
        }
        let made = client(private)?;
        self.0 = Some((made.clone(), Instant::now()));
        Ok(made)
    }
}

/// Rejects a URL with a literal address that is not allowed. Host names are checked on connect.
///
/// # Errors
/// A reason for the caller.
pub fn check_literal(url: &str, private: bool) -> Result<(), String> {
    let url = Url::parse(url).map_err(|_| "is not a valid URL".to_owned())?;
    let host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    match host.parse::<IpAddr>() {
        Ok(ip) if !private && !address::is_public(ip) => Err(AddressNotAllowed.to_string()),
        _ => Ok(()),
    }
}

/// A host resolves only to addresses that are not allowed.
#[derive(Debug)]
pub(super) struct AddressNotAllowed;

impl std::fmt::Display for AddressNotAllowed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("resolves to a loopback, private, link-local or other special address, which is not allowed")
    }
}

impl std::error::Error for AddressNotAllowed {}

/// A resolver that drops addresses that are not allowed, so that the client connects only to checked addresses.
struct Resolver {
    private: bool,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let private = self.private;
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let allowed: Vec<SocketAddr> =
                found.into_iter().filter(|address| private || address::is_public(address.ip())).collect();
            if allowed.is_empty() {
                return Err(Box::<dyn std::error::Error + Send + Sync>::from(AddressNotAllowed));
            }
            let allowed: Addrs = Box::new(allowed.into_iter());
            Ok(allowed)
        })
    }
}
