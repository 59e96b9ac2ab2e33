//! Signs people in: at the OIDC issuer, with an API token, or with a link that the server prints when it starts.

use std::sync::Arc;

use chrono::TimeDelta;
use entity::id::SignInId;
use entity::sign_in;
use maud::html;
use poem::http::{StatusCode, header};
use poem::web::{Data, Query};
use poem::{Request, Response, handler};
use serde::Deserialize;

use super::form::{Form, OpenForm};
use super::paths::ROOT;
use super::shell::Page;
use super::viewer::Viewer;
use super::{cookie, reply};
use crate::access::principal::Principal;
use crate::app::App;
use crate::error::{Error, Result};
use crate::secret::{self, SESSION_PREFIX, TokenHash};
use crate::store;

/// How long the link works that is printed at a start.
const LINK_LIFETIME: TimeDelta = TimeDelta::hours(24);

/// What somebody reads whose form was not accepted. The script keeps what it contained until the form is loaded again.
const UNSENT: &str = "Your session has ended, and the form was not accepted. Sign in, and send it again.";

/// The query of the sign-in page.
#[derive(Deserialize)]
pub(super) struct Wanted {
    pub(super) next: Option<String>,
    /// What was asked for when a session had ended.
    ended: Option<String>,
}

/// The query of a link.
#[derive(Deserialize)]
pub(super) struct LinkSecret {
    secret: String,
}

#[handler]
pub(super) fn page(Data(app): Data<&Arc<App>>, Query(wanted): Query<Wanted>) -> Response {
    let said = match wanted.ended.as_deref() {
        Some("form") => Some(UNSENT),
        Some(_) => Some("Your session has ended. Sign in again."),
        None => None,
    };
    reply::open_page(app, StatusCode::OK, &sign_in_page(app, reply::inside(wanted.next.as_deref()), said))
}

#[handler]
pub(super) async fn with_token(
    Data(app): Data<&Arc<App>>,
    OpenForm(form): OpenForm,
    request: &Request,
) -> poem::Result<Response> {
    let next = reply::inside(form.given("next"));
    let agent = request.headers().get(header::USER_AGENT).and_then(|value| value.to_str().ok());
    let Some(token) = form.given("token") else {
        return Ok(reply::open_page(
            app,
            StatusCode::BAD_REQUEST,
            &sign_in_page(app, next, Some("Paste an API token.")),
        ));
    };
    match app.authenticator.token_holder(token, agent).await {
        Ok(caller) => {
            let cookie = cookie::begin(app, &caller, app.clock.now()).await?;
            Ok(reply::redirect_with_cookie(next, &cookie))
        }
        Err(Error::Unauthenticated(_)) => {
            let text = "This is no valid API token. It may have expired, or been revoked.";
            Ok(reply::open_page(app, StatusCode::UNAUTHORIZED, &sign_in_page(app, next, Some(text))))
        }
        Err(error) => Err(error.into()),
    }
}

#[handler]
pub(super) async fn with_link(
    Data(app): Data<&Arc<App>>,
    Query(LinkSecret { secret }): Query<LinkSecret>,
    request: &Request,
) -> poem::Result<Response> {
    let now = app.clock.now();
    let hash = TokenHash::of(&secret).stored();
    let taken =
        store::write(&app.db, async |tx| store::sign_in::take(tx, &hash, now).await.map_err(Error::from)).await?;
    let principal = taken.filter(|_| secret.starts_with(SESSION_PREFIX)).map(|row| row.principal);
    let Some(principal) = principal else {
        let text = "This link has been used, or has expired. Sign in with an API token instead.";
        return Ok(reply::open_page(app, StatusCode::UNAUTHORIZED, &sign_in_page(app, ROOT, Some(text))));
    };
    let agent = request.headers().get(header::USER_AGENT).and_then(|value| value.to_str().ok());
    let cookie = cookie::begin_as(app, principal, None, agent.map(str::to_owned), now).await?;
    Ok(reply::redirect_with_cookie(ROOT, &cookie))
}

#[handler]
pub(super) async fn sign_out(Data(app): Data<&Arc<App>>, viewer: Viewer, _form: Form) -> poem::Result<Response> {
    let cookie = cookie::end(app, &viewer.session).await?;
    Ok(reply::redirect_with_cookie(&format!("{ROOT}/sign-in"), &cookie))
}

/// An address that signs in once, as the oldest administrator's token of the first organization; none if it has no such token.
///
/// # Errors
/// When the link cannot be stored.
pub async fn link(app: &App) -> Result<Option<String>> {
    let Some(first) = store::organization::list(&app.db).await?.into_iter().next() else { return Ok(None) };
    let Some(token) = store::token::first_admin(&app.db, first.id).await? else { return Ok(None) };
    let secret = secret::new_session_secret()?;
    let row = sign_in::Model {
        id: SignInId::create(),
        hash: TokenHash::of(secret.expose()).stored(),
        principal: Principal::ApiToken(token.id).to_string(),
        expires_at: app.clock.now() + LINK_LIFETIME,
    };
    store::write(&app.db, async |tx| store::row::create(tx, row).await.map_err(Error::from)).await?;
    Ok(Some(format!("{}{ROOT}/sign-in/link?secret={}", app.public_url(), secret.expose())))
}

pub(super) fn sign_in_page(app: &App, next: &str, problem: Option<&str>) -> Page {
    let body = html! {
        section.sign-in {
            h1 { "Sign in" }
            @if let Some(problem) = problem { p.problem role="alert" { (problem) } }
            @if app.authenticator.code_flow().is_some() {
                @let query: String = form_urlencoded::byte_serialize(next.as_bytes()).collect();
                p { a.button href={ (ROOT) "/sign-in/oidc?next=" (query) } { "Sign in with your account" } }
            }
            form method="post" action={ (ROOT) "/sign-in" } {
                input type="hidden" name="next" value=(next);
                label for="token" { "API token" }
                input #token type="password" name="token" autocomplete="off" required autofocus;
                button type="submit" { "Sign in" }
            }
            p.hint { "To create a token on the machine of the server: " code { "windlass token create --name NAME" } }
        }
    };
    Page { title: "Sign in".into(), place: None, trail: Vec::new(), body, api: None, live: None }
}
