//! Builds the `App`: database, key file, runners.

use std::sync::Arc;

use windlass_schedule::time_zone;

use super::keys;
use super::local_runner::runners;
use super::lock::DatabaseLock;
use super::storage::migrate;
use crate::access::authenticate::Authenticator;
use crate::access::code_flow::CodeFlow;
use crate::access::jwt::{Addresses, Verifier};
use crate::app::{App, Parts};
use crate::clock::Clock;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::liveness::wake::Wake;
use crate::runner::agent::Agents;
use crate::runner::process::check_default_user;
use crate::store;

/// Connects to the database, migrates it, and builds the `App`. The lock belongs to the caller, for as long as the `App` is used.
///
/// # Errors
/// When the data folder, the key file, the database or the settings cannot be used.
pub async fn build(config: Config, clock: Clock) -> Result<(Arc<App>, DatabaseLock)> {
    // Fails if a provider is already installed, which is fine.
    let _installed = rustls::crypto::ring::default_provider().install_default();
    if let Some(user) = &config.process_user {
        check_default_user(user).map_err(|reason| Error::invalid("--process-user", reason))?;
    }
    let (db, lock) = migrate(&config).await?;
    let keys = keys::open(&config, &db, clock.now()).await?;
    let lease_db = store::connect(&config.database_url(), 1).await?;
    let wake = Wake::default();
    let agents = Agents::new(db.clone(), keys.clone(), clock.clone(), wake.clone());
    let runners = runners(&config, &clock, &wake, agents).await;
    let verifier = match (&config.oidc_issuer, &config.oidc_audience) {
        (Some(issuer), Some(audience)) => {
            let addresses =
                if config.oidc_assume_email_verified { Addresses::VerifiedByIssuer } else { Addresses::Verified };
            Some(Verifier::new(issuer, audience, addresses)?)
        }
        (Some(_), None) => return Err(Error::invalid("--oidc-audience", "is required with --oidc-issuer")),
        (None, _) => None,
    };
    tracing::info!(release = %time_zone::database(), "time zone database");
    let code_flow = config
        .oidc_client_id
        .clone()
        .map(|client_id| CodeFlow { client_id, client_secret: config.oidc_client_secret.clone() });
    let authenticator = Authenticator::new(db.clone(), keys.clone(), clock.clone(), verifier).with_code_flow(code_flow);
    let app = App::from(Parts { db, lease_db, clock, config, keys, runners, authenticator, wake });
    Ok((Arc::new(app), lock))
}
