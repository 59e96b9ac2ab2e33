//! The Qovery-style JSON face: typed handlers behind a contract that was written first.

mod account;
mod audit;
mod caller;
mod check;
mod cluster;
mod environment;
mod error;
mod event;
mod git_token;
mod group;
mod history;
mod job;
mod limits;
mod member;
mod operate;
mod organization;
mod project;
mod project_rule;
mod registry;
mod role;
mod service;
mod socket;
mod stage;
mod status;
mod token;
mod variable;
mod webhook;
mod wire;

use std::sync::Arc;

use futures_util::FutureExt as _;
use poem::web::Html;
use poem::{Endpoint, EndpointExt as _, IntoEndpoint, IntoResponse as _, Request, Response, Route, get, handler};
use poem_openapi::{OpenApiService, Tags};

use tracing::Instrument as _;

use crate::app::App;

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
    #[oai(rename = "Account Info")]
    AccountInfo,
    #[oai(rename = "Deployment Queue Actions")]
    DeploymentQueueActions,
    #[oai(rename = "Deployment Stage Main Calls")]
    DeploymentStageMainCalls,
    Applications,
    Environment,
    Containers,
    Databases,
    #[oai(rename = "Environment Deployment History")]
    EnvironmentDeploymentHistory,
    #[oai(rename = "Environment Deployment Rule")]
    EnvironmentDeploymentRule,
    #[oai(rename = "Environment Variable")]
    EnvironmentVariable,
    Helms,
    #[oai(rename = "Environment Logs")]
    EnvironmentLogs,
    #[oai(rename = "Environment Secret")]
    EnvironmentSecret,
    Terraforms,
    #[oai(rename = "Job Configuration")]
    JobConfiguration,
    #[oai(rename = "Job Deployment History")]
    JobDeploymentHistory,
    #[oai(rename = "Job Deployment Restriction")]
    JobDeploymentRestriction,
    #[oai(rename = "Job Environment Variable")]
    JobEnvironmentVariable,
    #[oai(rename = "Job Secret")]
    JobSecret,
    #[oai(rename = "Organization Annotations Group")]
    OrganizationAnnotationsGroup,
    #[oai(rename = "Organization Custom Role")]
    OrganizationCustomRole,
    #[oai(rename = "Organization Event")]
    OrganizationEvent,
    Members,
    #[oai(rename = "Organization Labels Group")]
    OrganizationLabelsGroup,
    #[oai(rename = "Organization Webhook")]
    OrganizationWebhook,
    #[oai(rename = "Project Environment Variable")]
    ProjectEnvironmentVariable,
    #[oai(rename = "Project Secret")]
    ProjectSecret,
    #[oai(rename = "Variable Main Calls")]
    VariableMainCalls,
    #[oai(rename = "Project Deployment Rule")]
    ProjectDeploymentRule,
}

/// The files of this face, in groups, because a tuple has no more than sixteen members.
type Apis = (
    (
        organization::OrganizationApi,
        token::TokenApi,
        role::RoleApi,
        member::MemberApi,
        account::AccountApi,
        cluster::ClusterApi,
        registry::RegistryApi,
        git_token::GitTokenApi,
        group::AnnotationsGroupApi,
        group::LabelsGroupApi,
        webhook::WebhookApi,
        event::EventApi,
    ),
    (
        project::ProjectApi,
        project_rule::ProjectRuleApi,
        project_rule::priority::ProjectRuleOrderApi,
        environment::EnvironmentApi,
        environment::action::EnvironmentActionApi,
        environment::clone::EnvironmentCloneApi,
        environment::deployment_log::DeploymentLogApi,
        environment::deployment_rule::EnvironmentRuleApi,
        environment::environment_status::EnvironmentStatusApi,
        environment::organization_overview::OrganizationOverviewApi,
        environment::overview::OverviewApi,
    ),
    (
        stage::StageApi,
        stage::attachment::StageAttachmentApi,
        stage::order::StageOrderApi,
        service::ServiceApi,
        service::action::ServiceActionApi,
        history::HistoryApi,
        history::commit::CommitApi,
        history::queue::QueueApi,
        check::CheckApi,
    ),
    (
        job::JobApi,
        job::action::ActionApi,
        job::advanced_settings::AdvancedSettingsApi,
        job::auto_deploy::AutoDeployApi,
        job::clone::CloneApi,
        job::deployment_restriction::DeploymentRestrictionApi,
        job::explain::ExplainApi,
        job::next_run::NextRunApi,
        job::run::RunApi,
        job::run_log::RunLogApi,
        job::skipped_time::SkippedTimeApi,
    ),
    (
        variable::unified::VariableApi,
        variable::family::ProjectVariableApi,
        variable::family::ProjectSecretApi,
        variable::family::EnvironmentVariableApi,
        variable::family::EnvironmentSecretApi,
        variable::family::JobVariableApi,
        variable::family::JobSecretApi,
        variable::family::JobImportApi,
    ),
);

fn service(app: &Arc<App>) -> OpenApiService<Apis, ()> {
    let app = || Arc::clone(app);
    let apis = (
        (
            organization::OrganizationApi(app()),
            token::TokenApi(app()),
            role::RoleApi(app()),
            member::MemberApi(app()),
            account::AccountApi(app()),
            cluster::ClusterApi(app()),
            registry::RegistryApi(app()),
            git_token::GitTokenApi(app()),
            group::AnnotationsGroupApi(app()),
            group::LabelsGroupApi(app()),
            webhook::WebhookApi(app()),
            event::EventApi(app()),
        ),
        (
            project::ProjectApi(app()),
            project_rule::ProjectRuleApi(app()),
            project_rule::priority::ProjectRuleOrderApi(app()),
            environment::EnvironmentApi(app()),
            environment::action::EnvironmentActionApi(app()),
            environment::clone::EnvironmentCloneApi(app()),
            environment::deployment_log::DeploymentLogApi(app()),
            environment::deployment_rule::EnvironmentRuleApi(app()),
            environment::environment_status::EnvironmentStatusApi(app()),
            environment::organization_overview::OrganizationOverviewApi(app()),
            environment::overview::OverviewApi(app()),
        ),
        (
            stage::StageApi(app()),
            stage::attachment::StageAttachmentApi(app()),
            stage::order::StageOrderApi(app()),
            service::ServiceApi(app()),
            service::action::ServiceActionApi(app()),
            history::HistoryApi(app()),
            history::commit::CommitApi(app()),
            history::queue::QueueApi(app()),
            check::CheckApi(app()),
        ),
        (
            job::JobApi(app()),
            job::action::ActionApi(app()),
            job::advanced_settings::AdvancedSettingsApi(app()),
            job::auto_deploy::AutoDeployApi(app()),
            job::clone::CloneApi(app()),
            job::deployment_restriction::DeploymentRestrictionApi(app()),
            job::explain::ExplainApi(app()),
            job::next_run::NextRunApi(app()),
            job::run::RunApi(app()),
            job::run_log::RunLogApi(app()),
            job::skipped_time::SkippedTimeApi(app()),
        ),
        (
            variable::unified::VariableApi(app()),
            variable::family::ProjectVariableApi(app()),
            variable::family::ProjectSecretApi(app()),
            variable::family::EnvironmentVariableApi(app()),
            variable::family::EnvironmentSecretApi(app()),
            variable::family::JobVariableApi(app()),
            variable::family::JobSecretApi(app()),
            variable::family::JobImportApi(app()),
        ),
    );
    OpenApiService::new(apis, "Windlass", env!("CARGO_PKG_VERSION"))
}

/// What the code itself would say its contract is; only for the test that holds it against the real one.
#[must_use]
pub fn described(app: &Arc<App>) -> String {
    service(app).spec()
}

/// The whole face, ready to be served, with what stands beside it.
pub fn face(
    app: &Arc<App>,
    beside: Route,
) -> impl IntoEndpoint<Endpoint = impl Endpoint<Output = Response> + use<>> + use<> {
    let (clock, metrics) = (app.clock.clone(), app.metrics.clone());
    beside
        .at("/openapi.yaml", get(contract_yaml))
        .at("/openapi.json", get(contract_json))
        .at("/docs", get(reference))
        .at("/health", get(operate::ready))
        .at("/health/live", get(operate::live))
        .at("/health/ready", get(operate::ready))
        .at("/metrics", get(operate::metrics))
        .at("/service/logs", get(socket::service_logs))
        .at("/service/status", get(socket::service_status))
        .at("/deployment/logs", get(socket::deployment_logs))
        .at("/deployment/status", get(socket::deployment_status))
        .nest("/", service(app))
        .data(Arc::clone(app))
        .around(move |endpoint, request: Request| {
            let (clock, metrics) = (clock.clone(), metrics.clone());
            async move {
                let (path, method, begin) = (request.uri().path().to_owned(), request.method().clone(), clock.now());
                let span = tracing::info_span!("request", otel.name = %format_args!("{method} {path}"), status = tracing::field::Empty);
                let answered = std::panic::AssertUnwindSafe(endpoint.call(request)).catch_unwind();
                let answered = answered.instrument(span.clone()).await;
                let response = match answered {
                    Ok(Ok(response)) => response.into_response(),
                    Ok(Err(error)) => error::answer(&error, &path, clock.now()),
                    Err(_) => {
                        tracing::error!(path, "a handler panicked");
                        error::panicked(&path, clock.now())
                    }
                };
                let took = (clock.now() - begin).to_std().unwrap_or_default();
                span.record("status", response.status().as_u16());
                metrics.answered(method.as_str(), response.status().as_u16(), took);
                Ok(response)
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
