//! `terraform login`: the program exchanges the code that the browser brought it for a token.

use std::sync::Arc;

use poem::http::{StatusCode, header};
use poem::web::Data;
use poem::{Body, Request, Response, Route, handler, post};
use serde_json::{Value, json};

use super::error::{Problem, answered, guarded};
use crate::app::App;
use crate::engine::program_login::{CLIENT, Exchange, exchange};

/// The size limit of a request, in bytes.
const MOST_BYTES: usize = 16 * 1024;

pub(super) fn routes(route: Route) -> Route {
    route.at("/oauth/token", guarded(post(issue)))
}

#[handler]
async fn issue(app: Data<&Arc<App>>, request: &Request, body: Body) -> Response {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !kind.starts_with("application/x-www-form-urlencoded") {
        return refused("invalid_request", "Content-Type: must be application/x-www-form-urlencoded");
    }
    let Ok(bytes) = body.into_bytes_limit(MOST_BYTES).await else {
        return refused("invalid_request", "the body must have at most 16 KiB");
    };
    let fields: Vec<(String, String)> = form_urlencoded::parse(&bytes).into_owned().collect();
    let text = |name: &str| fields.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str());
    if text("grant_type") != "authorization_code" {
        return refused("unsupported_grant_type", "grant_type: must be authorization_code");
    }
    if text("client_id") != CLIENT {
        return refused("invalid_client", "client_id: must be terraform-cli");
    }
    let given = Exchange { code: text("code"), verifier: text("code_verifier"), redirect_uri: text("redirect_uri") };
    match exchange(app.0, given).await {
        Ok(Some(token)) => response(StatusCode::OK, &json!({"access_token": token.expose(), "token_type": "bearer"})),
        Ok(None) => refused("invalid_grant", "the code is not valid, has expired, or was used before: sign in again"),
        Err(error) => answered(Err(Problem::from(error))),
    }
}

/// An error in the words of RFC 6749, section 5.2.
fn refused(error: &str, description: &str) -> Response {
    response(StatusCode::BAD_REQUEST, &json!({"error": error, "error_description": description}))
}

fn response(status: StatusCode, body: &Value) -> Response {
    let response = Response::builder().status(status).content_type("application/json");
    response.header(header::CACHE_CONTROL, "no-store").body(body.to_string())
}
