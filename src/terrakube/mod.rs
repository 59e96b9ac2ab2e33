//! The Terrakube-compatible JSON:API: resources as tables of attributes, one document builder, one query parser.

mod access_token;
mod attribute;
mod attribute_value;
mod change_document;
mod changes;
mod describe;
mod dispatch;
mod document;
mod drift_routes;
mod error;
mod filter;
mod job_context;
mod operation;
mod operation_path;
mod path;
mod path_context;
mod permissions;
mod push_delivery;
mod query;
mod read;
mod request;
mod resource;
mod response;
mod rsql;
mod session;
mod special;
mod state_client;
mod state_file;
mod state_lock;
mod state_request;
mod state_routes;
mod state_transfer;
mod step_files;
mod step_log;
mod tables;
mod terraform_state;
mod workspace_job;
mod write;

use poem::{Response, Route, handler};

/// The OpenAPI document of this API, as served.
pub const CONTRACT: &str = include_str!("../../api-spec/terrakube.yaml");

/// The tables as schemas, for the test that compares them with the contract.
#[must_use]
pub fn described() -> serde_json::Value {
    describe::all()
}

/// Adds the routes of this API.
#[must_use]
pub fn routes(route: Route) -> Route {
    let route = route.at("/terrakube.yaml", poem::get(contract));
    let route = route.at("/api/v1/operations", dispatch::operations).at("/api/v1/*path", dispatch::resources);
    let route = access_token::routes(permissions::routes(route));
    let route = terraform_state::routes(step_files::routes(route));
    let route = state_routes::routes(drift_routes::routes(route));
    push_delivery::routes(job_context::routes(step_log::routes(route)))
}

#[handler]
fn contract() -> Response {
    Response::builder().content_type("application/yaml; charset=utf-8").body(CONTRACT)
}
