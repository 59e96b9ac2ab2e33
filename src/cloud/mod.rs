//! The API that `cloud` blocks and the `remote` backend of Terraform and OpenTofu speak: JSON:API documents about workspaces and what
//! belongs to them; and the protocols of the private registry. Addresses without a credential, for uploads and logs, contain a sealed secret.

mod about;
mod caller;
mod change_run;
mod cloud_projects;
mod configuration_routes;
mod discovery;
mod error;
mod expected_state;
mod identity_routes;
mod json_api;
mod lock_actions;
mod log_bytes;
mod log_frame;
mod login_token;
mod plan_outputs;
mod query_page;
mod registry_files;
mod registry_keys;
mod registry_mirror;
mod registry_modules;
mod registry_providers;
mod registry_visit;
mod run_document;
mod run_of_job;
mod run_request;
mod run_state;
mod runs;
mod sealed_address;
mod state_arrival;
mod state_outputs;
mod state_version_request;
mod state_versions;
mod state_visit;
mod tag_binding;
mod tag_routes;
mod version_document;
mod workspace;
mod workspace_answer;
mod workspace_change;
mod workspace_document;
mod workspace_list;
mod workspace_request;
mod workspace_variables;

use poem::{Response, Route, handler};

use self::error::{Problem, guarded};

/// The OpenAPI document of this API, as served.
pub const CONTRACT: &str = include_str!("../../api-spec/cloud.yaml");

/// Adds the routes of this API.
#[must_use]
pub fn routes(route: Route) -> Route {
    let route = route.at("/cloud.yaml", poem::get(contract)).at("/api/v2/*path", guarded(unknown));
    let route = identity_routes::routes(route);
    let route = registry_mirror::routes(registry_providers::routes(registry_modules::routes(route)));
    let route = registry_keys::routes(registry_files::routes(route));
    let route = cloud_projects::routes(login_token::routes(about::routes(discovery::routes(route))));
    let route = lock_actions::routes(workspace::routes(route));
    let route = workspace_variables::routes(tag_routes::routes(route));
    let route = plan_outputs::routes(route);
    let route = change_run::routes(log_bytes::routes(runs::routes(configuration_routes::routes(route))));
    state_arrival::routes(state_outputs::routes(state_versions::routes(route)))
}

#[handler]
fn contract() -> Response {
    Response::builder().content_type("application/yaml; charset=utf-8").body(CONTRACT)
}

/// Everything below the base that is no operation.
#[handler]
fn unknown() -> Response {
    Problem::missing("operation").response()
}
