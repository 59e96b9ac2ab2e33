//! Rules of alerts.

use std::sync::Arc;

use entity::alert_rule::Model;
use entity::id::{AlertRuleId, ClusterId, OrganizationId};
use poem_openapi::OpenApi;
use poem_openapi::param::Path;
use uuid::Uuid;

use super::rule_body::{AlertRuleCreationRequest, AlertRuleEditRequest};
use super::rule_view::AlertRuleResponse;
use crate::access::{self, Action};
use crate::alert::{create_rule, delete_rule, edit_rule};
use crate::api::caller::Auth;
use crate::api::tag::Tag;
use crate::api::wire::{Body, Created, EmptyResponse, Json, NoContent, Results, Success};
use crate::app::App;
use crate::error::Result;
use crate::store;

pub(in crate::api) struct AlertRuleApi(pub(in crate::api) Arc<App>);

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
        let of = (id, ClusterId(cluster_id));
        let wanted = (content.wanted(), target.wanted(organization_id)?);
        Ok(Json(create_rule(&self.0, &auth.requester(), of, wanted, AlertRuleResponse::new).await?))
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
        let shown = AlertRuleResponse::new;
        Ok(Json(edit_rule(&self.0, &auth.requester(), old, |_| Ok(body.0.clone().wanted()), shown).await?))
    }

    #[oai(path = "/alert-rules/:alertRuleId", method = "delete", operation_id = "deleteAlertRule", tag = Tag::AlertRules)]
    async fn delete_alert_rule(
        &self,
        auth: Auth,
        #[oai(name = "alertRuleId")] alert_rule_id: Path<Uuid>,
    ) -> Result<NoContent> {
        let row = self.load(&auth, Action::ManageSettings, alert_rule_id.0).await?;
        delete_rule(&self.0, &auth.requester(), row, AlertRuleResponse::new).await?;
        Ok(EmptyResponse)
    }
}

impl AlertRuleApi {
    async fn load(&self, auth: &Auth, action: Action, id: Uuid) -> Result<Model> {
        access::alert_rule(&self.0.db, &auth.0, action, AlertRuleId(id)).await
    }
}
