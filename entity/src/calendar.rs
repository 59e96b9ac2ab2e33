//! A calendar of an organization: days and spans of time that schedules leave out, or are confined to.

use sea_orm::FromJsonQueryResult;
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::id::{CalendarId, OrganizationId};

/// A span of time: each end is an instant, or a local time in the time zone of the calendar.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    pub from: String,
    pub to: String,
}

/// A part of every week, in local time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WeeklySpan {
    pub weekday: String,
    pub from: String,
    pub to: String,
}

/// What a calendar contains, as it was written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct Entries {
    pub days: Vec<String>,
    pub spans: Vec<Span>,
    pub weekly: Vec<WeeklySpan>,
}

/// A day of an iCalendar file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedDay {
    pub day: Date,
    pub name: String,
}

/// A span of time of an iCalendar file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedSpan {
    pub from: DateTimeUtc,
    pub to: DateTimeUtc,
    pub name: String,
}

/// What an iCalendar file contains in some years, in the order of time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct Occurrences {
    pub days: Vec<NamedDay>,
    pub spans: Vec<NamedSpan>,
}

/// Row of `calendar`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "calendar")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: CalendarId,
    pub organization_id: OrganizationId,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    /// Jobs name it in their settings.
    pub name: String,
    pub description: String,
    pub timezone: String,
    pub entries: Entries,
    /// An iCalendar file.
    pub ics: Option<String>,
    /// The address of an iCalendar file.
    pub ics_url: Option<String>,
    /// What was last read from the file or the address.
    pub occurrences: Occurrences,
    pub ics_read_at: Option<DateTimeUtc>,
    /// Why the address could not be read since.
    pub ics_error: Option<String>,
    /// When the file or the address is read again.
    pub read_next_at: Option<DateTimeUtc>,
}

/// What schedules have to know of a calendar.
#[derive(Clone, Debug, PartialEq, Eq, DerivePartialModel)]
#[sea_orm(entity = "Entity")]
pub struct Contents {
    pub id: CalendarId,
    pub organization_id: OrganizationId,
    pub name: String,
    pub timezone: String,
    pub entries: Entries,
    pub occurrences: Occurrences,
}

impl ActiveModelBehavior for ActiveModel {}
