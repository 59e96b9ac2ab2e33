//! The page on which a person agrees that a program on their computer acts as them, for `terraform login`.

use std::sync::Arc;

use maud::{Markup, html};
use poem::http::{StatusCode, header};
use poem::web::{Data, Query};
use poem::{Response, handler};
use serde::Deserialize;

use super::form::Form;
use super::paths::ROOT;
use super::reply;
use super::shell::{Page, token};
use super::viewer::Viewer;
use crate::access::principal;
use crate::app::App;
use crate::engine::program_login::{Asked, CLIENT, LoginRequest, agree};
use crate::error::{Error, Result};

/// The query of a program.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Wanted {
    client_id: String,
    response_type: String,
    redirect_uri: String,
    code_challenge: String,
    code_challenge_method: String,
    state: String,
}

/// A program acts as a person, so that somebody who signed in with a token has nothing to give.
fn require_person(viewer: &Viewer) -> Result<()> {
    match viewer.caller.person() {
        Some(_) => Ok(()),
        None => Err(Error::Forbidden(
            "you signed in with an API token, and a program can only act as a person: give it a token in the environment instead, as \
             TF_TOKEN_ with the name of this server",
        )),
    }
}

#[handler]
pub(super) fn ask(Data(app): Data<&Arc<App>>, viewer: Viewer, Query(wanted): Query<Wanted>) -> poem::Result<Response> {
    let Wanted { client_id, response_type, redirect_uri, code_challenge, code_challenge_method, state } = &wanted;
    let asked = Asked { client_id, response_type, redirect_uri, code_challenge, code_challenge_method, state };
    let request = LoginRequest::check(asked)?;
    require_person(&viewer)?;
    let page = Page {
        title: "Sign in a program".into(),
        place: None,
        trail: vec![("Your account".to_owned(), format!("{ROOT}/account"))],
        body: question(&viewer, &request),
        api: None,
        live: None,
    };
    Ok(reply::page_leading_to(app, &viewer, &page, &request.origin()))
}

fn question(viewer: &Viewer, request: &LoginRequest) -> Markup {
    let LoginRequest { redirect_uri, challenge, state } = request;
    html! {
        h1 { "Sign in a program" }
        section.card {
            p { "A program on your computer, such as Terraform or OpenTofu, asks to act as " strong { (viewer.caller.name()) } "." }
            p { "It waits for the answer at " code { (redirect_uri) } ". Allow this only if you have just called " code { "terraform login" }
                " or " code { "tofu login" } " yourself." }
            p { "The program gets a token with your rights, which loses those that you lose. You find it among "
                a href={ (ROOT) "/account/tokens" } { "your tokens" } ", and can revoke it there." }
            form method="post" action={ (ROOT) "/authorize" } {
                (token(viewer))
                input type="hidden" name="redirect_uri" value=(redirect_uri);
                input type="hidden" name="code_challenge" value=(challenge);
                input type="hidden" name="state" value=(state);
                p { button type="submit" { "Allow" } " " a href={ (ROOT) } { "Do not allow" } }
            }
        }
    }
}

#[handler]
pub(super) async fn allow(Data(app): Data<&Arc<App>>, viewer: Viewer, form: Form) -> poem::Result<Response> {
    let asked = Asked {
        client_id: CLIENT,
        response_type: "code",
        redirect_uri: form.text("redirect_uri"),
        code_challenge: form.text("code_challenge"),
        code_challenge_method: "S256",
        state: form.text("state"),
    };
    let request = LoginRequest::check(asked)?;
    require_person(&viewer)?;
    let code = agree(app, principal::stored(&viewer.caller), &request).await?;
    let response = Response::builder().status(StatusCode::SEE_OTHER).header(header::CACHE_CONTROL, "no-store");
    Ok(response.header(header::LOCATION, request.answer(code.expose())).finish())
}
