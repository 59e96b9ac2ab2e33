//! Puts the resources together, with the documentation and the endpoints for operators.

use std::sync::Arc;

use futures_util::FutureExt as _;
use poem::{Endpoint, EndpointExt as _, IntoEndpoint, IntoResponse as _, Request, Response, Route, get};
use poem_openapi::{OpenApi, OpenApiService};
use tracing::Instrument as _;

use super::{
    account, check, cluster, contract, environment, error, event, git_token, group, history, job, member, operate,
    organization, project, project_rule, registry, role, service, socket, stage, token, variable, webhook,
};
use crate::app::App;

/// The resources, in groups, because a tuple has no more than sixteen members.
fn service(app: &Arc<App>) -> OpenApiService<impl OpenApi + use<>, ()> {
    let app = || Arc::clone(app);
    let apis = (
        (
            organization::OrganizationApi(app()),
            token::TokenApi(app()),
            role::RoleApi(app()),
            member::MemberApi(app()),
            member::invitation::InvitationApi(app()),
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
            environment::EnvironmentApi(app()),
            environment::action::EnvironmentActionApi(app()),
            environment::rule::RuleApi(app()),
            environment::log::LogApi(app()),
            environment::overview::OverviewApi(app()),
            stage::StageApi(app()),
            service::ServiceApi(app()),
            history::HistoryApi(app()),
            check::CheckApi(app()),
        ),
        (
            job::JobApi(app()),
            job::action::ActionApi(app()),
            job::clone::CloneApi(app()),
            job::settings::JobSettingsApi(app()),
            job::run::RunApi(app()),
            job::run_log::RunLogApi(app()),
            job::explain::ExplainApi(app()),
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
        .at("/openapi.yaml", get(contract::contract_yaml))
        .at("/openapi.json", get(contract::contract_json))
        .at("/docs", get(contract::reference))
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
