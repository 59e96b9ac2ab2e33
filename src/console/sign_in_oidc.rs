//! Signs people in at the OIDC issuer. What its answer is checked against is kept in a sealed cookie of the browser that began, so that
//! nobody can be signed in by somebody else's link.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use poem::http::{HeaderValue, StatusCode, header};
use poem::web::{Data, Query};
use poem::{Request, Response, handler};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::paths::ROOT;
use super::sign_in::{Wanted, sign_in_page};
use super::{cookie, reply};
use crate::access::code_flow::Attempt;
use crate::app::App;
use crate::error::{Error, Result};
use crate::secret::place;

const COOKIE: &str = "windlass_sign_in";

/// How long a person may take at the issuer, in seconds.
const PATIENCE: i64 = 600;

/// An attempt as the browser keeps it.
#[derive(Serialize, Deserialize)]
struct Kept {
    attempt: Attempt,
    next: String,
    /// In seconds since 1970.
    until: i64,
}

/// The answer of the issuer.
#[derive(Deserialize)]
pub(super) struct Answer {
    #[serde(default)]
    code: Option<String>,
    #[serde(default)]
    state: Option<String>,
    #[serde(default)]
    error: Option<String>,
}

#[handler]
pub(super) async fn begin(Data(app): Data<&Arc<App>>, Query(wanted): Query<Wanted>) -> poem::Result<Response> {
    let next = reply::inside(wanted.next.as_deref()).to_owned();
    Ok(leave(app, Attempt::create()?, next).await?)
}

/// Sends somebody to the issuer, and keeps the attempt in their browser.
async fn leave(app: &App, attempt: Attempt, next: String) -> Result<Response> {
    let address = app.authenticator.sign_in_address(&attempt, &redirect_address(app)).await?;
    let kept = Kept { attempt, next, until: app.clock.now().timestamp() + PATIENCE };
    let text = serde_json::to_vec(&kept).map_err(Error::internal)?;
    let sealed = URL_SAFE_NO_PAD.encode(app.keys.seal(&seal_place(), &text)?);
    let set = cookie::set(app, (COOKIE, &sealed), "/sign-in", PATIENCE);
    Ok(reply::redirect_with_cookie(&address, &set))
}

#[handler]
pub(super) async fn callback(
    Data(app): Data<&Arc<App>>,
    Query(answer): Query<Answer>,
    request: &Request,
) -> poem::Result<Response> {
    let refused = |text: &str| reply::open_page(app, StatusCode::UNAUTHORIZED, &sign_in_page(app, ROOT, Some(text)));
    let Some(kept) = kept(app, request) else {
        return Ok(refused("This sign-in took too long, or was begun in another browser. Begin again."));
    };
    if answer.state.as_deref() != Some(&kept.attempt.state) {
        return Ok(refused("This sign-in was begun in another tab. Begin again."));
    }
    let Some(code) = answer.code else {
        if answer.error.as_deref() == Some("invalid_scope")
            && let Some(attempt) = kept.attempt.with_fewer_scopes()?
        {
            return Ok(leave(app, attempt, kept.next).await?);
        }
        let reason = answer.error.unwrap_or_else(|| "no reason".into());
        return Ok(refused(&format!("The OIDC issuer did not sign you in: {reason}.")));
    };
    let agent = request.headers().get(header::USER_AGENT).and_then(|value| value.to_str().ok());
    match app.authenticator.signed_in(&kept.attempt, (&code, &redirect_address(app)), agent).await {
        Ok(caller) => {
            let session = cookie::begin(app, &caller, app.clock.now()).await?;
            let mut response = reply::redirect_with_cookie(&kept.next, &session);
            if let Ok(gone) = HeaderValue::from_str(&cookie::set(app, (COOKIE, ""), "/sign-in", 0)) {
                response.headers_mut().append(header::SET_COOKIE, gone);
            }
            Ok(response)
        }
        Err(Error::Unauthenticated(_)) => Ok(refused("The OIDC issuer did not confirm who you are. Begin again.")),
        Err(error) => Err(error.into()),
    }
}

fn redirect_address(app: &App) -> String {
    format!("{}{ROOT}/sign-in/callback", app.public_url())
}

/// The value is in no row.
fn seal_place() -> String {
    place("sign_in_cookie", Uuid::nil())
}

fn kept(app: &App, request: &Request) -> Option<Kept> {
    let sealed = URL_SAFE_NO_PAD.decode(cookie::value_of(request, COOKIE)?).ok()?;
    let text: Result<_> = app.keys.open(&seal_place(), &sealed);
    let kept: Kept = serde_json::from_slice(text.ok()?.expose()).ok()?;
    (app.clock.now().timestamp() < kept.until).then_some(kept)
}
