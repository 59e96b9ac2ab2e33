//! The Qovery-style JSON face: typed handlers behind a contract that was written first.

mod caller;
mod cluster;
mod environment;
mod error;
mod job;
mod limits;
mod organization;
mod project;
mod registry;
mod status;
mod token;
mod wire;

use std::sync::Arc;

use futures_util::FutureExt as _;
use poem::http::StatusCode;
use poem::web::Html;
use poem::{Endpoint, EndpointExt as _, IntoEndpoint, IntoResponse as _, Request, Response, Route, get, handler};
use poem_openapi::{OpenApiService, Tags};

use crate::app::App;
use crate::store;

/// The contract of this face, as it is served.
pub const CONTRACT: &str = include_str!("../../api-spec/openapi.yaml");

/// The groups of operations, by their official names.
#[derive(Tags)]
enum Tag {
    #[oai(rename = "Organization Main Calls")]
    OrganizationMainCalls,
    #[oai(rename = "Organization Api Token")]
    OrganizationApiToken,
    Projects,
    #[oai(rename = "Project Main Calls")]
    ProjectMainCalls,
    Clusters,
    Environments,
    #[oai(rename = "Environment Main Calls")]
    EnvironmentMainCalls,
    #[oai(rename = "Environment Actions")]
    EnvironmentActions,
    #[oai(rename = "Container Registries")]
    ContainerRegistries,
    Jobs,
    #[oai(rename = "Job Main Calls")]
    JobMainCalls,
    #[oai(rename = "Job Actions")]
    JobActions,
    #[oai(rename = "Job Run")]
    JobRun,
}

type Apis = (
    organization::OrganizationApi,
    token::TokenApi,
    cluster::ClusterApi,
    project::ProjectApi,
    environment::EnvironmentApi,
    registry::RegistryApi,
    job::JobApi,
    job::action::ActionApi,
    job::run::RunApi,
);

fn service(app: &Arc<App>) -> OpenApiService<Apis, ()> {
    let apis = (
        organization::OrganizationApi(Arc::clone(app)),
        token::TokenApi(Arc::clone(app)),
        cluster::ClusterApi(Arc::clone(app)),
        project::ProjectApi(Arc::clone(app)),
        environment::EnvironmentApi(Arc::clone(app)),
        registry::RegistryApi(Arc::clone(app)),
        job::JobApi(Arc::clone(app)),
        job::action::ActionApi(Arc::clone(app)),
        job::run::RunApi(Arc::clone(app)),
    );
    OpenApiService::new(apis, "Windlass", env!("CARGO_PKG_VERSION"))
}

/// What the code itself would say its contract is; only for the test that holds it against the real one.
#[must_use]
pub fn described(app: &Arc<App>) -> String {
    service(app).spec()
}

/// The whole face, ready to be served.
pub fn face(app: &Arc<App>) -> impl IntoEndpoint<Endpoint = impl Endpoint<Output = Response> + use<>> + use<> {
    let clock = app.clock.clone();
    Route::new()
        .at("/openapi.yaml", get(contract_yaml))
        .at("/openapi.json", get(contract_json))
        .at("/docs", get(reference))
        .at("/health", get(health))
        .nest("/", service(app))
        .data(Arc::clone(app))
        .around(move |endpoint, request: Request| {
            let clock = clock.clone();
            async move {
                let path = request.uri().path().to_owned();
                let answered = std::panic::AssertUnwindSafe(endpoint.call(request)).catch_unwind().await;
                Ok(match answered {
                    Ok(Ok(response)) => response.into_response(),
                    Ok(Err(error)) => error::answer(&error, &path, clock.now()),
                    Err(_) => {
                        tracing::error!(path, "a handler panicked");
                        error::panicked(&path, clock.now())
                    }
                })
            }
        })
}

#[handler]
fn contract_yaml() -> Response {
    Response::builder().content_type("application/yaml; charset=utf-8").body(CONTRACT)
}

#[handler]
fn contract_json() -> poem::Result<Response> {
    let contract = contract_as_json().map_err(crate::error::Error::internal)?;
    Ok(Response::builder().content_type("application/json").body(contract))
}

fn contract_as_json() -> Result<String, serde_yaml_ng::Error> {
    let contract: serde_json::Value = serde_yaml_ng::from_str(CONTRACT)?;
    Ok(contract.to_string())
}

/// The API reference: one page that loads nothing from elsewhere.
#[handler]
fn reference() -> poem::Result<Html<String>> {
    let contract = contract_as_json().map_err(crate::error::Error::internal)?;
    let page = OpenApiService::new((), "Windlass", env!("CARGO_PKG_VERSION")).swagger_ui_html();
    Ok(Html(with_contract(&page, &contract)))
}

/// The page shows the contract, not what the code says of itself.
fn with_contract(page: &str, contract: &str) -> String {
    const BEGIN: &str = "let spec = ";
    const END: &str = ";\n    let oauth2RedirectUrl;";
    let safe = contract.replace("</", "<\\/");
    match page.split_once(BEGIN).and_then(|(head, rest)| Some((head, rest.split_once(END)?.1))) {
        Some((head, tail)) => {
            format!("{head}{BEGIN}{safe}{END}{tail}").replace("Swagger UI</title>", "Windlass API</title>")
        }
        None => page.to_owned(),
    }
}

/// For load balancers and the `healthcheck` command: whether the database answers.
#[handler]
async fn health(app: poem::web::Data<&Arc<App>>) -> StatusCode {
    match store::ping(&app.db).await {
        Ok(()) => StatusCode::OK,
        Err(_) => StatusCode::SERVICE_UNAVAILABLE,
    }
}
