//! How others check the identity tokens of workspace steps (OIDC Discovery 1.0).

use std::sync::Arc;

use poem::web::Data;
use poem::{Response, Route, get, handler};
use serde_json::json;

use super::error::{Problem, Result, answered, guarded};
use crate::app::App;
use crate::engine::workload_identity::{DISCOVERY, key_set};
use crate::error::Error;

pub(super) fn routes(route: Route) -> Route {
    route.at("/.well-known/openid-configuration", guarded(get(configuration))).at(DISCOVERY, guarded(get(keys)))
}

/// The address of the server as its tokens name it.
fn issuer(app: &App) -> Result<String> {
    let known = app.config.public_url.is_some().then(|| app.public_url());
    known.ok_or_else(|| Problem::missing("issuer (the server has no --public-url, so it issues no identity tokens)"))
}

#[handler]
fn configuration(app: Data<&Arc<App>>) -> Response {
    answered(issuer(app.0).map(|issuer| {
        let about = json!({
            "issuer": issuer,
            "jwks_uri": format!("{issuer}{DISCOVERY}"),
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "scopes_supported": ["openid"],
            "claims_supported": ["iss", "aud", "sub", "jti", "iat", "nbf", "exp", "terraform_run_phase"],
        });
        Response::builder().content_type("application/json").body(about.to_string())
    }))
}

#[handler]
async fn keys(app: Data<&Arc<App>>) -> Response {
    let answer = async {
        let keys = serde_json::to_string(&key_set(app.0).await?).map_err(Error::internal)?;
        Ok(Response::builder().content_type("application/json").body(keys))
    };
    answered(answer.await)
}
