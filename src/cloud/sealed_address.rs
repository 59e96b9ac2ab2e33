//! Addresses that are used without a credential: for uploads and logs. Programs send none there, so the address itself is the secret:
//! what it is about, whose rights it carries, and until when, sealed with the keys of this server.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::caller::Visit;
use super::error::{Problem, Result};
use crate::app::App;
use crate::secret;

/// The longest secret that is opened, in characters.
const LONGEST: usize = 4096;

#[derive(Serialize, Deserialize)]
struct Contents<T> {
    about: T,
    /// In seconds since 1970.
    until: i64,
}

/// The value is in no row; values of one kind cannot be used as another.
fn place(kind: &str) -> String {
    secret::place(&format!("cloud_address/{kind}"), Uuid::nil())
}

/// A whole address: `{base}/api/v2/sealed/{kind}/{secret}`.
pub(super) fn create<T: Serialize>(visit: &Visit, kind: &str, about: T, lifetime: TimeDelta) -> Result<String> {
    create_at(&visit.app, (&visit.base, visit.now), kind, about, lifetime)
}

/// The same for whoever reaches the server under `base`.
pub(super) fn create_at<T: Serialize>(
    app: &App,
    (base, now): (&str, DateTime<Utc>),
    kind: &str,
    about: T,
    lifetime: TimeDelta,
) -> Result<String> {
    let until = (now + lifetime).timestamp();
    let text = serde_json::to_vec(&Contents { about, until }).map_err(crate::error::Error::internal)?;
    let sealed = URL_SAFE_NO_PAD.encode(app.keys.seal(&place(kind), &text)?);
    Ok(format!("{base}/api/v2/sealed/{kind}/{sealed}"))
}

/// What an address of this kind is about, by its secret. One that is unknown or has expired is missing.
pub(super) fn open<T: DeserializeOwned>(app: &App, kind: &str, secret: &str, now: DateTime<Utc>) -> Result<T> {
    let opened = || {
        let sealed = URL_SAFE_NO_PAD.decode(Some(secret).filter(|text| text.len() <= LONGEST)?).ok()?;
        let text = app.keys.open(&place(kind), &sealed).ok()?;
        let Contents { about, until } = serde_json::from_slice::<Contents<T>>(text.expose()).ok()?;
        (now.timestamp() < until).then_some(about)
    };
    opened().ok_or_else(|| Problem::missing("address"))
}
