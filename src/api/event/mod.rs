//! The events of an organization, newest first and in pages.

mod event_origin;
mod event_target;
mod event_type;
mod parameter;
mod response;

use std::sync::Arc;

use entity::event::Model;
use entity::id::{EnvironmentId, EventId, OrganizationId, ProjectId};
use poem_openapi::OpenApi;
use poem_openapi::param::{Path, Query};
use uuid::Uuid;

use self::event_origin::{OrganizationEventOrigin, stored_origin};
use self::event_target::{OrganizationEventSubTargetType, OrganizationEventTargetLevel, OrganizationEventTargetType};
use self::event_type::OrganizationEventType;
use self::parameter::{time, uuid};
use self::response::{
    EventTarget, Links, OrganizationEventResponse, OrganizationEventResponseList, OrganizationEventTargetResponseList,
};
use super::caller::Auth;
use super::tag::Tag;
use super::wire::{Json, Success, enum_name};
use crate::access::{self, Action};
use crate::app::App;
use crate::engine::limits;
use crate::error::Result;
use crate::store;
use crate::store::event::{EventCursor, EventFilter};

/// The maximum number of events in a page.
const MAX_PAGE_SIZE: i32 = 100;

/// The number of newest events that are searched for targets.
const SEARCHED_EVENTS: u64 = 1000;

pub(super) struct EventApi(pub(super) Arc<App>);

#[OpenApi]
impl EventApi {
    #[expect(clippy::too_many_arguments, reason = "the official operation has this many parameters")]
    #[oai(path = "/organization/:organizationId/events", method = "get", operation_id = "getOrganizationEvents", tag = Tag::OrganizationEvent)]
    async fn get_organization_events(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
        #[oai(name = "pageSize", default = "default_page_size")] page_size: Query<i32>,
        #[oai(name = "fromTimestamp")] from_timestamp: Query<Option<String>>,
        #[oai(name = "toTimestamp")] to_timestamp: Query<Option<String>>,
        #[oai(name = "continueToken")] continue_token: Query<Option<String>>,
        #[oai(name = "stepBackToken")] step_back_token: Query<Option<String>>,
        #[oai(name = "eventType")] event_type: Query<Option<OrganizationEventType>>,
        #[oai(name = "targetType")] target_type: Query<Option<OrganizationEventTargetType>>,
        #[oai(name = "targetId")] target_id: Query<Option<Uuid>>,
        #[oai(name = "subTargetType")] sub_target_type: Query<Option<OrganizationEventSubTargetType>>,
        #[oai(name = "triggeredBy")] triggered_by: Query<Option<String>>,
        #[oai(name = "origin")] origin: Query<Option<OrganizationEventOrigin>>,
        #[oai(name = "serviceProjectId")] service_project_id: Query<Option<String>>,
        #[oai(name = "serviceEnvironmentId")] service_environment_id: Query<Option<String>>,
    ) -> Result<Success<OrganizationEventResponseList>> {
        let id = OrganizationId(organization_id.0);
        access::organization(&self.0.db, &auth.0, Action::ViewEvents, id).await?;
        let limit = limits::between("pageSize", page_size.0, 1, MAX_PAGE_SIZE)?;
        let after = uuid("continueToken", continue_token.0)?.map(EventId);
        let before = uuid("stepBackToken", step_back_token.0)?.map(EventId);
        let begin = match (after, before) {
            (Some(id), _) => EventCursor::Behind(id),
            (None, Some(id)) => EventCursor::Before(id),
            (None, None) => EventCursor::Newest,
        };
        let filter = EventFilter {
            from: time("fromTimestamp", from_timestamp.0)?,
            to: time("toTimestamp", to_timestamp.0)?,
            kind: event_type.0.and_then(enum_name),
            target: target_type.0.and_then(enum_name),
            target_id: target_id.0,
            sub_target: sub_target_type.0.and_then(enum_name),
            triggered_by: triggered_by.0.map(|text| limits::text("triggeredBy", text)).transpose()?,
            origin: origin.0.and_then(stored_origin),
            project: uuid("serviceProjectId", service_project_id.0)?.map(ProjectId),
            environment: uuid("serviceEnvironmentId", service_environment_id.0)?.map(EnvironmentId),
        };
        let is_unknown_origin = origin.0.is_some() && filter.origin.is_none();
        let size = u64::from(limit.unsigned_abs());
        let rows = match is_unknown_origin {
            true => Vec::new(),
            false => store::event::list(&self.0.db, id, filter, begin, size).await?,
        };
        let base = self.0.public_url();
        let link = |parameter: &str, row: &Model| {
            format!("{base}/organization/{id}/events?{parameter}={}&pageSize={limit}", row.id)
        };
        let is_full_page = rows.len() as u64 == size;
        let links = Links {
            previous: rows
                .first()
                .filter(|_| !matches!(begin, EventCursor::Newest))
                .map(|row| link("stepBackToken", row)),
            next: rows
                .last()
                .filter(|_| is_full_page || matches!(begin, EventCursor::Before(_)))
                .map(|row| link("continueToken", row)),
        };
        let events = rows.into_iter().map(OrganizationEventResponse::from).collect();
        Ok(Json(OrganizationEventResponseList { links, organization_max_limit_reached: false, events }))
    }

    #[expect(clippy::too_many_arguments, reason = "the official operation has this many parameters")]
    #[oai(path = "/organization/:organizationId/targets", method = "get", operation_id = "getOrganizationEventTargets", tag = Tag::OrganizationEvent)]
    async fn get_organization_event_targets(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
        #[oai(name = "fromTimestamp")] from_timestamp: Query<Option<String>>,
        #[oai(name = "toTimestamp")] to_timestamp: Query<Option<String>>,
        #[oai(name = "eventType")] event_type: Query<Option<OrganizationEventType>>,
        #[oai(name = "targetType")] target_type: Query<Option<OrganizationEventTargetType>>,
        #[oai(name = "triggeredBy")] triggered_by: Query<Option<String>>,
        #[oai(name = "origin")] origin: Query<Option<OrganizationEventOrigin>>,
        #[oai(name = "projectId")] project_id: Query<Option<Uuid>>,
        #[oai(name = "environmentId")] environment_id: Query<Option<Uuid>>,
        #[oai(name = "targetLevelToFetch")] target_level: Query<Option<OrganizationEventTargetLevel>>,
    ) -> Result<Success<OrganizationEventTargetResponseList>> {
        let id = OrganizationId(organization_id.0);
        access::organization(&self.0.db, &auth.0, Action::ViewEvents, id).await?;
        let filter = EventFilter {
            from: time("fromTimestamp", from_timestamp.0)?,
            to: time("toTimestamp", to_timestamp.0)?,
            kind: event_type.0.and_then(enum_name),
            target: target_type.0.and_then(enum_name),
            triggered_by: triggered_by.0.map(|text| limits::text("triggeredBy", text)).transpose()?,
            origin: origin.0.and_then(stored_origin),
            project: project_id.0.map(ProjectId),
            environment: environment_id.0.map(EnvironmentId),
            ..EventFilter::default()
        };
        let rows = store::event::list(&self.0.db, id, filter, EventCursor::Newest, SEARCHED_EVENTS).await?;
        let mut targets: Vec<EventTarget> = Vec::new();
        for row in rows {
            let target = match target_level.0 {
                None => row.target_id.map(|id| (id, row.target_name)),
                Some(OrganizationEventTargetLevel::Project) => row.project_id.map(|id| id.0).zip(row.project_name),
                Some(OrganizationEventTargetLevel::Environment) => {
                    row.environment_id.map(|id| id.0).zip(row.environment_name)
                }
            };
            // Events are sorted newest first, so the first name of a target is its current one.
            if let Some((id, name)) = target
                && !targets.iter().any(|target| target.id == id)
            {
                targets.push(EventTarget { id, name });
            }
        }
        Ok(Json(OrganizationEventTargetResponseList { targets }))
    }
}

fn default_page_size() -> i32 {
    10
}
