//! Assembles the handlers of all resources, the documentation and the monitoring endpoints.

use std::sync::Arc;

use futures_util::FutureExt as _;
use poem::http::header;
use poem::{Endpoint, EndpointExt as _, IntoEndpoint, Request, Response, Route, get};
use poem_openapi::{OpenApi, OpenApiService};
use tracing::Instrument as _;

use super::wire::Warnings;
use super::{
    access_token, account, alert, calendar, check, cluster, contract, cors, declaration, entity_tag, environment,
    error, event, git_token, group, history, job, job_check, logged_address, member, monitoring, organization, project,
    project_rule, push_hook, registry, repeat, response_headers, role, service, sign_in_methods, socket, stage, status,
    token, variable, webhook,
};
use crate::app::App;

/// All resources, in groups, because poem-openapi takes tuples of at most sixteen members.
fn apis(app: impl Fn() -> Arc<App>) -> impl OpenApi {
    (
        (
            organization::OrganizationApi(app()),
            organization::forecast::ForecastApi(app()),
            token::TokenApi(app()),
            access_token::AccessTokenApi(app()),
            role::RoleApi(app()),
            member::MemberApi(app()),
            member::invitation::InvitationApi(app()),
            account::AccountApi(app()),
            (
                cluster::ClusterApi(app()),
                cluster::cluster_agent::ClusterAgentApi(app()),
                cluster::cloud_provider::CloudProviderApi,
            ),
            registry::RegistryApi(app()),
            git_token::GitTokenApi(app()),
            group::AnnotationsGroupApi(app()),
            group::LabelsGroupApi(app()),
            (webhook::WebhookApi(app()), push_hook::PushHookApi(app())),
            (event::EventApi(app()), alert::apis(app()), calendar::CalendarApi(app())),
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
            (environment::export::EnvironmentExportApi(app()), declaration::DeclarationApi(app())),
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
        job_apis(app),
    )
}

/// Those of jobs, runs and variables.
fn job_apis(app: impl Fn() -> Arc<App>) -> impl OpenApi {
    (
        (
            job::JobApi(app()),
            job::action::ActionApi(app()),
            job::advanced_settings::AdvancedSettingsApi(app()),
            job::auto_deploy::AutoDeployApi(app()),
            job::backfill::BackfillApi(app()),
            job::clone::CloneApi(app()),
            job::deployment_restriction::DeploymentRestrictionApi(app()),
            (job::explain::ExplainApi(app()), job_check::JobCheckApi(app())),
            job::next_run::NextRunApi(app()),
            job::pause::PauseApi(app()),
            job::run::RunApi(app()),
            job::run_log::RunLogApi(app()),
            (
                job::run_search::OrganizationRunApi(app()),
                job::run_search::ProjectRunApi(app()),
                job::run_search::EnvironmentRunApi(app()),
                status::JobSummaryApi(app()),
            ),
            job::schedule_preview::SchedulePreviewApi(app()),
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
    )
}

fn service(app: &Arc<App>) -> OpenApiService<impl OpenApi + use<>, ()> {
    let app = Arc::clone(app);
    OpenApiService::new(apis(move || Arc::clone(&app)), "Windlass", env!("CARGO_PKG_VERSION"))
}

/// The contract as generated from the code. A test compares it with `openapi.yaml`.
#[must_use]
pub fn described(app: &Arc<App>) -> String {
    service(app).spec()
}

/// The complete API, ready to be served, together with the routes in `others`.
pub fn endpoint(
    app: &Arc<App>,
    others: Route,
) -> impl IntoEndpoint<Endpoint = impl Endpoint<Output = Response> + use<>> + use<> {
    let (clock, metrics) = (app.clock.clone(), app.metrics.clone());
    let origins: Arc<[String]> = app.config.cors_origins.clone().into();
    others
        .at("/openapi.yaml", get(contract::contract_yaml))
        .at("/openapi.json", get(contract::contract_json))
        .at("/docs", get(contract::reference))
        .at("/.well-known/windlass", get(sign_in_methods::told))
        .at("/health", get(monitoring::health))
        .at("/health/live", get(monitoring::live))
        .at("/health/ready", get(monitoring::ready))
        .at("/metrics", get(monitoring::metrics))
        .at("/ping/:key", job_check::ping::route())
        .at("/ping/:key/:signal", job_check::ping::route())
        .at("/push/:id", push_hook::receive_push::route())
        .at("/service/logs", get(socket::service_logs))
        .at("/service/status", get(socket::service_status))
        .at("/deployment/logs", get(socket::deployment_logs))
        .at("/deployment/status", get(socket::deployment_status))
        .nest("/", service(app))
        .data(Arc::clone(app))
        .around(move |endpoint, mut request: Request| {
            let (clock, metrics, origins) = (clock.clone(), metrics.clone(), Arc::clone(&origins));
            async move {
                let (uri, method, started_at) = (logged_address::logged(request.uri()), request.method().clone(), clock.now());
                let (path, scheme) = (uri.path(), request.scheme().clone());
                let warnings = Warnings::default();
                request.set_data(warnings.clone());
                let span = tracing::info_span!("request", otel.name = %format_args!("{method} {path}"), status = tracing::field::Empty);
                let known = entity_tag::Known::of(&request);
                let origin = request.headers().get(header::ORIGIN).cloned();
                let result = match cors::preflight(&origins, &request) {
                    Some(response) => Ok(Ok(response)),
                    None => {
                        let call = std::panic::AssertUnwindSafe(repeat::call(endpoint, request)).catch_unwind();
                        call.instrument(span.clone()).await
                    }
                };
                let mut response = match result {
                    Ok(Ok(response)) => response,
                    Ok(Err(error)) => error::response(&error, &method, &uri, clock.now()),
                    Err(_) => {
                        tracing::error!(path, "handler panicked");
                        error::panicked(path, clock.now())
                    }
                };
                if let Some(known) = known {
                    known.answer(&mut response).await;
                }
                if let Some(warning) = warnings.header() {
                    response.headers_mut().insert(header::WARNING, warning);
                }
                cors::add(&origins, origin.as_ref(), response.headers_mut());
                response_headers::add(&mut response, &scheme);
                let duration = (clock.now() - started_at).to_std().unwrap_or_default();
                span.record("status", response.status().as_u16());
                metrics.answered(method.as_str(), response.status().as_u16(), duration);
                Ok(response)
            }
        })
}
