//! Builds the `App`: key file, database, migrations, runners.

use std::sync::Arc;

use super::data_folder::make_private_folder;
use super::local_runner::runners;
use crate::access::authenticate::Authenticator;
use crate::access::jwt::Verifier;
use crate::app::{App, Parts};
use crate::clock::Clock;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::liveness::wake::Wake;
use crate::secret::KeyRing;
use crate::store;
use crate::time_zone;

/// Connects to the database, migrates it, and builds the `App`.
///
/// # Errors
/// When the data folder, the key file, the database or the settings cannot be used.
pub async fn build(config: Config, clock: Clock) -> Result<Arc<App>> {
    // Fails if a provider is already installed, which is fine.
    let _installed = rustls::crypto::ring::default_provider().install_default();
    make_private_folder(&config)?;
    let keys = KeyRing::load_or_create(&config.secret_key_file())?;
    let db = store::connect(&config.database_url(), config.database_connections).await?;
    migration::run(&db).await?;
    let lease_db = store::connect(&config.database_url(), 1).await?;
    let wake = Wake::default();
    let runners = runners(&config, &clock, &wake).await;
    let verifier = match (&config.oidc_issuer, &config.oidc_audience) {
        (Some(issuer), Some(audience)) => Some(Verifier::new(issuer, audience)?),
        (Some(_), None) => return Err(Error::invalid("--oidc-audience", "is required with --oidc-issuer")),
        (None, _) => None,
    };
    tracing::info!(release = %time_zone::database(), "time zone database");
    let authenticator = Authenticator::new(db.clone(), clock.clone(), verifier);
    Ok(Arc::new(App::from(Parts { db, lease_db, clock, config, keys, runners, authenticator, wake })))
}
