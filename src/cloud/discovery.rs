//! How Terraform and OpenTofu find the APIs of this server by its name alone
//! (<https://developer.hashicorp.com/terraform/internals/remote-service-discovery>).

use poem::http::{StatusCode, header};
use poem::{Response, Route, get, handler};
use serde_json::json;

use super::error::guarded;
use crate::engine::program_login::CLIENT;

/// The path of this API. All versions that programs ask for are the same one.
const API: &str = "/api/v2/";
/// The paths of the private registry.
const MODULES: &str = "/v1/modules/";
const PROVIDERS: &str = "/v1/providers/";

pub(super) fn routes(route: Route) -> Route {
    route.at("/.well-known/terraform.json", guarded(get(services))).at("/app/settings/tokens", guarded(get(token_page)))
}

/// The ports at which programs may wait for the answer of a sign-in.
const PORTS: [u16; 2] = [10_000, 10_010];

#[handler]
fn services() -> Response {
    let login = json!({
        "client": CLIENT,
        "grant_types": ["authz_code"],
        "authz": "/console/authorize",
        "token": "/oauth/token",
        "ports": PORTS,
    });
    let services = json!({
        "tfe.v2": API,
        "tfe.v2.1": API,
        "tfe.v2.2": API,
        "login.v1": login,
        "modules.v1": MODULES,
        "providers.v1": PROVIDERS,
    });
    Response::builder().content_type("application/json").body(services.to_string())
}

/// The page that programs open for somebody who is to paste a token.
#[handler]
fn token_page() -> Response {
    Response::builder().status(StatusCode::SEE_OTHER).header(header::LOCATION, "/console/account/tokens").finish()
}
