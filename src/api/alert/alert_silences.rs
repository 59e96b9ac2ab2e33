//! Silences of alerts.

use std::sync::Arc;

use chrono::TimeDelta;
use entity::alert_silence::{Model, SilenceTarget};
use entity::id::{AlertSilenceId, OrganizationId};
use poem_openapi::OpenApi;
use poem_openapi::param::Path;
use uuid::Uuid;

use super::silence_body::{AlertSilence, AlertSilenceRequest, apply};
use crate::access::{self, Action};
use crate::api::audit::{self, Change};
use crate::api::caller::Auth;
use crate::api::tag::Tag;
use crate::api::wire::{Created, EmptyResponse, Json, NoContent, Results, StrictBody, Success};
use crate::app::App;
use crate::error::{Error, Result};
use crate::store;

/// The maximum number of silences of an organization.
const MOST: u64 = 500;
/// How long silences that have ended are listed.
const KEPT: TimeDelta = TimeDelta::days(30);

pub(in crate::api) struct AlertSilenceApi(pub(in crate::api) Arc<App>);

fn change(kind: &'static str, row: &Model) -> Change {
    Change::new(kind, "ORGANIZATION", row.id.0, &row.comment).part("ALERT_SILENCE")
}

#[OpenApi]
impl AlertSilenceApi {
    #[oai(path = "/organization/:organizationId/alert-silence", method = "get", operation_id = "getAlertSilences", tag = Tag::AlertRules)]
    async fn get_alert_silences(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
    ) -> Result<Success<Results<AlertSilence>>> {
        let id = OrganizationId(organization_id.0);
        access::organization(&self.0.db, &auth.0, Action::ViewSettings, id).await?;
        let (rows, now) = (store::alert::list_silences(&self.0.db, id).await?, self.0.clock.now());
        Ok(Json(Results { results: rows.into_iter().map(|row| AlertSilence::new(row, now)).collect() }))
    }

    #[oai(path = "/organization/:organizationId/alert-silence", method = "post", operation_id = "createAlertSilence", tag = Tag::AlertRules)]
    async fn create_alert_silence(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
        body: StrictBody<AlertSilenceRequest>,
    ) -> Result<Created<AlertSilence>> {
        let id = OrganizationId(organization_id.0);
        access::organization(&self.0.db, &auth.0, Action::ManageSettings, id).await?;
        let now = self.0.clock.now();
        let row = Model {
            id: AlertSilenceId::create(),
            organization_id: id,
            created_at: now,
            updated_at: now,
            author: auth.requester().name,
            comment: String::new(),
            begins_at: now,
            ends_at: now,
            target: SilenceTarget::Organization,
            project_id: None,
            environment_id: None,
            job_id: None,
            rule_id: None,
            label_key: None,
            label_value: None,
        };
        let row = apply(&self.0, body.0, row).await?;
        let response = audit::write(&self.0, &auth, id, async |tx| {
            store::alert::delete_old_silences(tx, id, now - KEPT).await?;
            if store::alert::count_silences(tx, id).await? >= MOST {
                return Err(Error::invalid("", format!("an organization can have at most {MOST} silences")));
            }
            let row = store::row::create(tx, row).await?;
            store::alert::wake_suppressed(tx, id, now).await?;
            let change = change("CREATE", &row);
            let response = AlertSilence::new(row, now);
            let change = change.after(&response);
            Ok((response, change))
        })
        .await?;
        Ok(Json(response))
    }

    #[oai(path = "/alert-silence/:alertSilenceId", method = "put", operation_id = "editAlertSilence", tag = Tag::AlertRules)]
    async fn edit_alert_silence(
        &self,
        auth: Auth,
        #[oai(name = "alertSilenceId")] alert_silence_id: Path<Uuid>,
        body: StrictBody<AlertSilenceRequest>,
    ) -> Result<Success<AlertSilence>> {
        let old = self.load(&auth, alert_silence_id.0).await?;
        let now = self.0.clock.now();
        let before = AlertSilence::new(old.clone(), now);
        let row = Model { updated_at: now, ..apply(&self.0, body.0, old).await? };
        let response = audit::write(&self.0, &auth, row.organization_id, async |tx| {
            let row = store::row::update(tx, row).await?;
            store::alert::wake_suppressed(tx, row.organization_id, now).await?;
            let change = change("UPDATE", &row).before(&before);
            let response = AlertSilence::new(row, now);
            let change = change.after(&response);
            Ok((response, change))
        })
        .await?;
        Ok(Json(response))
    }

    #[oai(path = "/alert-silence/:alertSilenceId", method = "delete", operation_id = "deleteAlertSilence", tag = Tag::AlertRules)]
    async fn delete_alert_silence(
        &self,
        auth: Auth,
        #[oai(name = "alertSilenceId")] alert_silence_id: Path<Uuid>,
    ) -> Result<NoContent> {
        let row = self.load(&auth, alert_silence_id.0).await?;
        let now = self.0.clock.now();
        audit::write(&self.0, &auth, row.organization_id, async |tx| {
            store::row::delete::<Model>(tx, row.id).await?;
            store::alert::wake_suppressed(tx, row.organization_id, now).await?;
            let change = change("DELETE", &row);
            Ok(((), change.before(&AlertSilence::new(row, now))))
        })
        .await?;
        Ok(EmptyResponse)
    }
}

impl AlertSilenceApi {
    async fn load(&self, auth: &Auth, id: Uuid) -> Result<Model> {
        access::alert_silence(&self.0.db, &auth.0, Action::ManageSettings, AlertSilenceId(id)).await
    }
}
