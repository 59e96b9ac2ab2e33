//! Sessions: the cookie, and how one begins and ends.

use chrono::{DateTime, TimeDelta, Utc};
use entity::id::SessionId;
use entity::session;
use poem::Request;
use poem::http::header;

use crate::access::{Caller, principal};
use crate::app::App;
use crate::error::{Error, Result};
use crate::secret::{self, TokenHash};
use crate::store;

/// The name of the cookie.
const COOKIE: &str = "windlass_session";

/// The session cookie of a request.
pub(super) fn cookie_of(request: &Request) -> Option<String> {
    value_of(request, COOKIE)
}

/// A cookie of a request.
pub(super) fn value_of(request: &Request, wanted: &str) -> Option<String> {
    let headers = request.headers().get_all(header::COOKIE);
    let pairs = headers.iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(';'));
    let found = pairs.filter_map(|pair| pair.trim().split_once('=')).find(|(name, _)| *name == wanted);
    found.map(|(_, value)| value.to_owned())
}

/// The token that the forms of a session carry. Another site cannot know it, because it cannot read the cookie.
pub(super) fn csrf(cookie: &str) -> String {
    TokenHash::of(&format!("forms of {cookie}")).stored()
}

/// How a cookie is stored.
pub(super) fn stored(cookie: &str) -> String {
    TokenHash::of(cookie).stored()
}

/// Begins a session with the rights of a caller. Returns the header that sets its cookie.
///
/// # Errors
/// When the session cannot be stored.
pub(super) async fn begin(app: &App, caller: &Caller, now: DateTime<Utc>) -> Result<String> {
    let principal = principal::stored(caller);
    begin_as(app, principal, caller.email().map(str::to_owned), caller.user_agent.clone(), now).await
}

/// Begins a session with the rights of a stored principal.
///
/// # Errors
/// When the session cannot be stored.
pub(super) async fn begin_as(
    app: &App,
    principal: String,
    email: Option<String>,
    user_agent: Option<String>,
    now: DateTime<Utc>,
) -> Result<String> {
    let cookie = secret::new_session_secret()?;
    let lifetime = TimeDelta::hours(i64::from(app.config.session_hours));
    let row = session::Model {
        id: SessionId::create(),
        hash: stored(cookie.expose()),
        principal,
        email,
        user_agent,
        created_at: now,
        used_at: now,
        expires_at: now + lifetime,
    };
    store::write(&app.db, async |tx| store::row::create(tx, row).await.map_err(Error::from)).await?;
    Ok(set(app, (COOKIE, cookie.expose()), "", lifetime.num_seconds()))
}

/// Ends the session with this stored cookie. Returns the header that removes the cookie.
///
/// # Errors
/// When the session cannot be deleted.
pub(super) async fn end(app: &App, stored: &str) -> Result<String> {
    store::write(&app.db, async |tx| {
        if let Some(row) = store::console_session::by_hash(tx, stored).await? {
            store::row::delete::<session::Model>(tx, row.id).await?;
        }
        Ok::<_, Error>(())
    })
    .await?;
    app.rights_changed();
    Ok(set(app, (COOKIE, ""), "", 0))
}

/// The header that sets a cookie below a folder of the console, for so many seconds; 0 removes it.
pub(super) fn set(app: &App, (name, value): (&str, &str), folder: &str, seconds: i64) -> String {
    let secure = if app.public_url().starts_with("https:") { "; Secure" } else { "" };
    format!("{name}={value}; Path={}{folder}; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}", super::paths::ROOT)
}
