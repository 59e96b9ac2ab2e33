//! Calendars of an organization.

use std::sync::Arc;

use entity::calendar::{Entries, Model, NamedDay, NamedSpan, Occurrences, Span, WeeklySpan};
use entity::id::{CalendarId, OrganizationId};
use poem_openapi::param::Path;
use poem_openapi::{Object, OpenApi};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::caller::Auth;
use super::tag::Tag;
use super::wire::{Created, EmptyResponse, Json, NoContent, Results, StrictBody, Success, Timestamp};
use crate::access::{self, Action};
use crate::app::App;
use crate::engine::settings::calendar_settings::{self, WantedCalendar};
use crate::error::Result;
use crate::store;

#[derive(Debug, Serialize, Deserialize, Object)]
struct CalendarSpan {
    from: String,
    to: String,
}

#[derive(Debug, Serialize, Deserialize, Object)]
struct CalendarWeeklySpan {
    weekday: String,
    from: String,
    to: String,
}

#[derive(Debug, Deserialize, Object)]
struct CalendarRequest {
    name: String,
    #[serde(default)]
    #[oai(default)]
    description: Option<String>,
    #[serde(default)]
    #[oai(default)]
    timezone: Option<String>,
    #[serde(default)]
    #[oai(default)]
    days: Option<Vec<String>>,
    #[serde(default)]
    #[oai(default)]
    spans: Option<Vec<CalendarSpan>>,
    #[serde(default)]
    #[oai(default)]
    weekly: Option<Vec<CalendarWeeklySpan>>,
    #[serde(default)]
    #[oai(default)]
    ics: Option<String>,
    #[serde(default)]
    #[oai(default)]
    ics_url: Option<String>,
}

#[derive(Debug, Serialize, Deserialize, Object)]
struct CalendarDay {
    day: String,
    name: String,
}

#[derive(Debug, Serialize, Deserialize, Object)]
struct CalendarOccurrence {
    from: Timestamp,
    to: Timestamp,
    name: String,
}

/// What was read from the file or the address.
#[derive(Debug, Serialize, Deserialize, Object)]
struct CalendarOccurrences {
    days: Vec<CalendarDay>,
    spans: Vec<CalendarOccurrence>,
}

#[derive(Debug, Serialize, Deserialize, Object)]
struct CalendarResponse {
    id: Uuid,
    created_at: Timestamp,
    updated_at: Timestamp,
    name: String,
    description: String,
    timezone: String,
    days: Vec<String>,
    spans: Vec<CalendarSpan>,
    weekly: Vec<CalendarWeeklySpan>,
    ics_url: Option<String>,
    ics_read_at: Option<Timestamp>,
    ics_error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[oai(skip_serializing_if = "Option::is_none")]
    ics: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[oai(skip_serializing_if = "Option::is_none")]
    occurrences: Option<CalendarOccurrences>,
}

impl From<CalendarRequest> for WantedCalendar {
    fn from(request: CalendarRequest) -> Self {
        let CalendarRequest { name, description, timezone, days, spans, weekly, ics, ics_url } = request;
        let span = |CalendarSpan { from, to }| Span { from, to };
        let week = |CalendarWeeklySpan { weekday, from, to }| WeeklySpan { weekday, from, to };
        let entries = Entries {
            days: days.unwrap_or_default(),
            spans: spans.unwrap_or_default().into_iter().map(span).collect(),
            weekly: weekly.unwrap_or_default().into_iter().map(week).collect(),
        };
        Self { name, description, timezone, entries, ics, ics_url }
    }
}

impl From<Model> for CalendarResponse {
    fn from(row: Model) -> Self {
        let Model { id, organization_id: _, created_at, updated_at, name, description, timezone, entries, .. } = row;
        let Occurrences { days: named_days, spans: named_spans } = row.occurrences;
        let day = |NamedDay { day, name }| CalendarDay { day: day.to_string(), name };
        let occurrence =
            |NamedSpan { from, to, name }| CalendarOccurrence { from: Timestamp(from), to: Timestamp(to), name };
        let Entries { days, spans, weekly } = entries;
        let week = |WeeklySpan { weekday, from, to }| CalendarWeeklySpan { weekday, from, to };
        Self {
            id: id.0,
            created_at: Timestamp(created_at),
            updated_at: Timestamp(updated_at),
            name,
            description,
            timezone,
            days,
            spans: spans.into_iter().map(|Span { from, to }| CalendarSpan { from, to }).collect(),
            weekly: weekly.into_iter().map(week).collect(),
            ics_url: row.ics_url,
            ics_read_at: row.ics_read_at.map(Timestamp),
            ics_error: row.ics_error,
            ics: row.ics,
            occurrences: Some(CalendarOccurrences {
                days: named_days.into_iter().map(day).collect(),
                spans: named_spans.into_iter().map(occurrence).collect(),
            }),
        }
    }
}

pub(super) struct CalendarApi(pub(super) Arc<App>);

#[OpenApi]
impl CalendarApi {
    #[oai(path = "/organization/:organizationId/calendar", method = "get", operation_id = "listOrganizationCalendars", tag = Tag::OrganizationCalendar)]
    async fn list_organization_calendars(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
    ) -> Result<Success<Results<CalendarResponse>>> {
        let id = OrganizationId(organization_id.0);
        access::organization(&self.0.db, &auth.0, Action::ViewSettings, id).await?;
        let rows = store::calendar::list(&self.0.db, id).await?;
        let short = |row| CalendarResponse { ics: None, occurrences: None, ..CalendarResponse::from(row) };
        Ok(Json(Results { results: rows.into_iter().map(short).collect() }))
    }

    #[oai(path = "/organization/:organizationId/calendar", method = "post", operation_id = "createOrganizationCalendar", tag = Tag::OrganizationCalendar)]
    async fn create_organization_calendar(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
        body: StrictBody<CalendarRequest>,
    ) -> Result<Created<CalendarResponse>> {
        let id = OrganizationId(organization_id.0);
        access::organization(&self.0.db, &auth.0, Action::ManageSettings, id).await?;
        Ok(Json(calendar_settings::create(&self.0, &auth.requester(), id, body.0.into()).await?.into()))
    }

    #[oai(path = "/organization/:organizationId/calendar/:calendarId", method = "get", operation_id = "getOrganizationCalendar", tag = Tag::OrganizationCalendar)]
    async fn get_organization_calendar(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
        #[oai(name = "calendarId")] calendar_id: Path<Uuid>,
    ) -> Result<Success<CalendarResponse>> {
        Ok(Json(self.load(&auth, Action::ViewSettings, organization_id.0, calendar_id.0).await?.into()))
    }

    #[oai(path = "/organization/:organizationId/calendar/:calendarId", method = "put", operation_id = "editOrganizationCalendar", tag = Tag::OrganizationCalendar)]
    async fn edit_organization_calendar(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
        #[oai(name = "calendarId")] calendar_id: Path<Uuid>,
        body: StrictBody<CalendarRequest>,
    ) -> Result<Success<CalendarResponse>> {
        let row = self.load(&auth, Action::ManageSettings, organization_id.0, calendar_id.0).await?;
        Ok(Json(calendar_settings::edit(&self.0, &auth.requester(), row, body.0.into()).await?.into()))
    }

    #[oai(path = "/organization/:organizationId/calendar/:calendarId", method = "delete", operation_id = "deleteOrganizationCalendar", tag = Tag::OrganizationCalendar)]
    async fn delete_organization_calendar(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
        #[oai(name = "calendarId")] calendar_id: Path<Uuid>,
    ) -> Result<NoContent> {
        let row = self.load(&auth, Action::ManageSettings, organization_id.0, calendar_id.0).await?;
        calendar_settings::delete(&self.0, &auth.requester(), row).await?;
        Ok(EmptyResponse)
    }
}

impl CalendarApi {
    async fn load(&self, auth: &Auth, action: Action, organization: Uuid, id: Uuid) -> Result<Model> {
        access::calendar(&self.0.db, &auth.0, action, OrganizationId(organization), CalendarId(id)).await
    }
}
