//! A deployment rule: when an environment runs.

use sea_orm::FromJsonQueryResult;
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::id::EnvironmentId;

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Weekday {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

/// Days of the week.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct Weekdays(pub Vec<Weekday>);

/// Row of `deployment_rule`; an environment without one has the default rule.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "deployment_rule")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub environment_id: EnvironmentId,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub on_demand_preview: bool,
    pub auto_preview: bool,
    /// Whether the environment is started and stopped at the times of this rule.
    pub auto_stop: bool,
    /// Whether it is deleted at its stop time, instead of stopped.
    pub auto_delete: bool,
    /// IANA name.
    pub timezone: String,
    /// Only its time of day counts.
    pub start_time: DateTimeUtc,
    /// Only its time of day counts.
    pub stop_time: DateTimeUtc,
    pub weekdays: Weekdays,
    /// When the environment is deployed next; null if that is not planned.
    pub next_start_at: Option<DateTimeUtc>,
    /// When the environment is stopped next; null if that is not planned.
    pub next_stop_at: Option<DateTimeUtc>,
}

impl ActiveModelBehavior for ActiveModel {}
