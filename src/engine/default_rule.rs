//! The deployment rule of a new environment.

use chrono::{DateTime, NaiveTime, Utc};
use entity::deployment_rule::{Model, Weekday, Weekdays};
use entity::environment;

use crate::engine::cron;
use crate::engine::deployment_rule;

/// The rule of an environment that has none of its own: weekdays from 7:00 to 19:00 UTC, without automatic stop.
#[must_use]
pub fn default_rule(environment: &environment::Model) -> Model {
    let at = |hour| {
        let time = NaiveTime::from_hms_opt(hour, 0, 0).unwrap_or_default();
        DateTime::<Utc>::UNIX_EPOCH.date_naive().and_time(time).and_utc()
    };
    let days = [Weekday::Monday, Weekday::Tuesday, Weekday::Wednesday, Weekday::Thursday, Weekday::Friday];
    Model {
        environment_id: environment.id,
        created_at: environment.created_at,
        updated_at: environment.created_at,
        on_demand_preview: false,
        auto_preview: false,
        auto_stop: false,
        auto_delete: false,
        timezone: "Etc/UTC".into(),
        start_time: at(7),
        stop_time: at(19),
        weekdays: Weekdays(days.to_vec()),
        next_start_at: None,
        next_stop_at: None,
    }
}

/// The rule of a new environment, from the project rule that matches its name.
#[must_use]
pub fn first_rule(environment: &environment::Model, from: &entity::project_rule::Model) -> Model {
    let mut row = Model {
        auto_stop: from.auto_stop,
        auto_delete: from.auto_delete,
        timezone: from.timezone.clone(),
        start_time: from.start_time,
        stop_time: from.stop_time,
        weekdays: from.weekdays.clone(),
        ..default_rule(environment)
    };
    if let Ok(zone) = cron::parse_timezone(&row.timezone) {
        (row.next_start_at, row.next_stop_at) = deployment_rule::next(&row, zone, environment.created_at);
    }
    row
}
