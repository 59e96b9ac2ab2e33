//! The web console: pages that are made on the server, from the same rows, rights and commands as the APIs.
//!
//! Pages are functions that return `maud` markup: the compiler checks them, all text is escaped, and the same functions make the
//! fragments that are sent again while a page is open. Reading works without script. A page is loaded with a session cookie, which
//! only this folder accepts, and changes are forms with a token against forgery by other sites.

mod account;
mod account_tokens;
mod assets;
mod authorize;
mod cookie;
mod deployment;
mod environment;
mod event_words;
mod fault;
mod form;
pub mod format;
mod gzip;
mod held_times;
mod home;
mod job;
mod live;
mod local_time;
mod new_organization;
mod notice;
mod overview;
mod paths;
pub mod picture;
mod post_button;
mod problems;
mod reply;
mod run;
pub mod run_marks;
mod settings;
mod shell;
mod sign_in;
mod sign_in_oidc;
mod token_parts;
mod variable;
mod viewer;
mod when;
mod widgets;
mod workspace;

use std::sync::Arc;

use poem::http::Method;
use poem::{Endpoint, EndpointExt as _, Response, Route, get, post};

pub use self::sign_in::link as sign_in_link;

use self::paths::ROOT;
use crate::app::App;

/// Adds the pages.
#[must_use]
pub fn routes(route: Route, app: &Arc<App>) -> Route {
    let pages = Route::new()
        .at("/", get(home::home))
        .at("/assets/:name", get(assets::asset))
        .at("/sign-in", get(sign_in::page).post(sign_in::with_token))
        .at("/sign-in/oidc", get(sign_in_oidc::begin))
        .at("/sign-in/callback", get(sign_in_oidc::callback))
        .at("/sign-in/link", get(sign_in::with_link))
        .at("/organization/:id/invitation/:invitation/accept", post(home::accept))
        .at("/organizations/new", get(new_organization::form).post(new_organization::create))
        .at("/account", get(account::page))
        .at("/account/session/:id", post(account::end_session))
        .at("/account/tokens", get(account_tokens::list).post(account_tokens::create))
        .at("/account/token/:id", post(account_tokens::revoke))
        .at("/authorize", get(authorize::ask).post(authorize::allow))
        .at("/sign-out", post(sign_in::sign_out));
    let pages = run::routes(job::routes(pages));
    let pages = overview::routes(pages);
    let pages = settings::routes(pages);
    let pages = environment::routes(pages);
    let pages = deployment::routes(pages);
    let pages = variable::routes(pages);
    let pages = workspace::routes(pages);
    let app = Arc::clone(app);
    let pages = pages.around(move |endpoint, request| reply::around(Arc::clone(&app), endpoint, request));
    route.nest(ROOT, pages)
}

/// Leads from the address of the server to its console: the root of the API has no operation.
pub fn with_front<E: Endpoint<Output = Response> + 'static>(endpoint: E) -> impl Endpoint<Output = Response> {
    endpoint.around(|endpoint, request| async move {
        if request.method() == Method::GET && request.uri().path() == "/" {
            return Ok(reply::redirect(ROOT));
        }
        endpoint.call(request).await
    })
}
