//! Rules of alerts.

use std::sync::Arc;

use entity::alert_rule::{Condition, Model, Reasons, Receivers, Severity, Target};
use entity::id::{AlertRuleId, ClusterId, OrganizationId};
use poem_openapi::OpenApi;
use poem_openapi::param::Path;
use uuid::Uuid;

use super::rule_body::{AlertRuleCreationRequest, AlertRuleEditRequest};
use super::rule_change::{apply, check_target, set_target};
use super::rule_view::AlertRuleResponse;
use crate::access::{self, Action};
use crate::api::audit::{self, Change};
use crate::api::caller::Auth;
use crate::api::tag::Tag;
use crate::api::wire::{Body, Created, EmptyResponse, Json, NoContent, Results, Success};
use crate::app::App;
use crate::error::{Error, Result};
use crate::store;

/// The maximum number of rules in an organization.
const MOST: u64 = 1000;

pub(in crate::api) struct AlertRuleApi(pub(in crate::api) Arc<App>);

fn change(kind: &'static str, row: &Model) -> Change {
    Change::new(kind, "ORGANIZATION", row.id.0, &row.name).part("ALERT_RULE")
}

/// What decides about the alerts of a rule.
fn meaning(row: &Model) -> (Condition, Option<i32>, Option<Reasons>, Option<f64>, i32) {
    (row.condition, row.threshold, row.reasons.clone(), row.times_p95, row.for_seconds)
}

#[OpenApi]
impl AlertRuleApi {
    #[oai(path = "/organization/:organizationId/alert-rules", method = "get", operation_id = "getAlertRules", tag = Tag::AlertRules)]
    async fn get_alert_rules(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
    ) -> Result<Success<Results<AlertRuleResponse>>> {
        let id = OrganizationId(organization_id.0);
        access::organization(&self.0.db, &auth.0, Action::ViewSettings, id).await?;
        let rows = store::alert::list_rules(&self.0.db, id).await?;
        let alerts = store::alert::list_alerts_of_rules(&self.0.db, rows.iter().map(|row| row.id).collect()).await?;
        Ok(Json(Results { results: rows.into_iter().map(|row| AlertRuleResponse::new(row, &alerts)).collect() }))
    }

    #[oai(path = "/alert-rules", method = "post", operation_id = "createAlertRule", tag = Tag::AlertRules)]
    async fn create_alert_rule(
        &self,
        auth: Auth,
        body: Body<AlertRuleCreationRequest>,
    ) -> Result<Created<AlertRuleResponse>> {
        let AlertRuleCreationRequest { organization_id, cluster_id, content, target } = body.0;
        let id = OrganizationId(organization_id);
        access::organization(&self.0.db, &auth.0, Action::ManageSettings, id).await?;
        let now = self.0.clock.now();
        let row = Model {
            id: AlertRuleId::create(),
            organization_id: id,
            cluster_id: ClusterId(cluster_id),
            created_at: now,
            updated_at: now,
            name: String::new(),
            description: String::new(),
            tag: String::new(),
            condition: Condition::RunFailed,
            threshold: None,
            reasons: None,
            times_p95: None,
            operator: None,
            function: None,
            for_seconds: 0,
            severity: Severity::Medium,
            enabled: true,
            receivers: Receivers::default(),
            summary: None,
            runbook_url: None,
            target: Target::Organization,
            project_id: None,
            environment_id: None,
            job_id: None,
            label_key: None,
            label_value: None,
        };
        let mut row = apply(&self.0, content, row).await?;
        set_target(&self.0, cluster_id, target, &mut row).await?;
        check_target(&row, "target")?;
        let response = audit::write(&self.0, &auth, id, async |tx| {
            if store::alert::count_rules(tx, id).await? >= MOST {
                return Err(Error::invalid("", format!("an organization can have at most {MOST} alert rules")));
            }
            let row = store::row::create(tx, row).await?;
            let change = change("CREATE", &row);
            let response = AlertRuleResponse::new(row, &[]);
            let change = change.after(&response);
            Ok((response, change))
        })
        .await?;
        Ok(Json(response))
    }

    #[oai(path = "/alert-rules/:alertRuleId", method = "get", operation_id = "getAlertRule", tag = Tag::AlertRules)]
    async fn get_alert_rule(
        &self,
        auth: Auth,
        #[oai(name = "alertRuleId")] alert_rule_id: Path<Uuid>,
    ) -> Result<Success<AlertRuleResponse>> {
        let row = self.load(&auth, Action::ViewSettings, alert_rule_id.0).await?;
        let alerts = store::alert::list_alerts_of_rules(&self.0.db, vec![row.id]).await?;
        Ok(Json(AlertRuleResponse::new(row, &alerts)))
    }

    #[oai(path = "/alert-rules/:alertRuleId", method = "put", operation_id = "editAlertRule", tag = Tag::AlertRules)]
    async fn edit_alert_rule(
        &self,
        auth: Auth,
        #[oai(name = "alertRuleId")] alert_rule_id: Path<Uuid>,
        body: Body<AlertRuleEditRequest>,
    ) -> Result<Success<AlertRuleResponse>> {
        let old = self.load(&auth, Action::ManageSettings, alert_rule_id.0).await?;
        let meaning = meaning(&old);
        let before = AlertRuleResponse::new(old.clone(), &[]);
        let row = Model { updated_at: self.0.clock.now(), ..apply(&self.0, body.0, old).await? };
        check_target(&row, "condition.promql")?;
        let is_other = meaning != self::meaning(&row);
        let response = audit::write(&self.0, &auth, row.organization_id, async |tx| {
            let row = store::row::update(tx, row).await?;
            if is_other || !row.enabled {
                store::alert::delete_alerts_of_rule(tx, row.id).await?;
            }
            let alerts = store::alert::list_alerts_of_rules(tx, vec![row.id]).await?;
            let change = change("UPDATE", &row).before(&before);
            let response = AlertRuleResponse::new(row, &alerts);
            let change = change.after(&response);
            Ok((response, change))
        })
        .await?;
        Ok(Json(response))
    }

    #[oai(path = "/alert-rules/:alertRuleId", method = "delete", operation_id = "deleteAlertRule", tag = Tag::AlertRules)]
    async fn delete_alert_rule(
        &self,
        auth: Auth,
        #[oai(name = "alertRuleId")] alert_rule_id: Path<Uuid>,
    ) -> Result<NoContent> {
        let row = self.load(&auth, Action::ManageSettings, alert_rule_id.0).await?;
        audit::write(&self.0, &auth, row.organization_id, async |tx| {
            store::row::delete::<Model>(tx, row.id).await?;
            let change = change("DELETE", &row);
            Ok(((), change.before(&AlertRuleResponse::new(row, &[]))))
        })
        .await?;
        Ok(EmptyResponse)
    }
}

impl AlertRuleApi {
    async fn load(&self, auth: &Auth, action: Action, id: Uuid) -> Result<Model> {
        access::alert_rule(&self.0.db, &auth.0, action, AlertRuleId(id)).await
    }
}
