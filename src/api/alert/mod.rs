//! Alerts: receivers and rules under the official paths, and silences.

mod alert_receivers;
mod alert_rules;
mod alert_silences;
mod quiet_body;
mod receiver_body;
mod receiver_view;
mod rule_body;
mod rule_view;
mod silence_body;

use std::sync::Arc;

use poem_openapi::OpenApi;

use crate::app::App;

/// The resources of alerts.
pub(super) fn apis(app: Arc<App>) -> impl OpenApi {
    (
        alert_receivers::AlertReceiverApi(Arc::clone(&app)),
        alert_rules::AlertRuleApi(Arc::clone(&app)),
        alert_silences::AlertSilenceApi(app),
    )
}
