//! Declared checks as the engine has them, and back.

use entity::job_spec::{JobSpec, Rhythm, Schedule};
use entity::metadata_group::GroupKind;

use super::declared::DeclaredCheck;
use super::names::Names;
use super::renamed::renamed;
use crate::engine::declaration::CheckState;
use crate::engine::definition::DEFAULT_TIMEZONE;
use crate::engine::job_check::{CheckDefinition, DEFAULT_GRACE_SECONDS, GivenRhythm};
use crate::error::{Error, Result};

/// A check of a declaration.
pub(super) fn check(name: &str, given: &DeclaredCheck, names: &Names) -> Result<CheckState> {
    let at = format!("checks.{name}");
    let DeclaredCheck { description, schedule, timezone, period_seconds, grace_seconds, max_duration_seconds, labels } =
        given;
    if timezone.is_some() && schedule.is_none() {
        return Err(Error::invalid(format!("{at}.timezone"), "belongs to a schedule, and there is none"));
    }
    let times = schedule.clone().map(|times| (times, timezone.clone()));
    let rhythm = GivenRhythm { times, period_seconds: *period_seconds };
    let (grace, most) = (grace_seconds.unwrap_or(DEFAULT_GRACE_SECONDS), max_duration_seconds.unwrap_or(0));
    let description = description.clone().unwrap_or_default();
    let checked = CheckDefinition::new((name, description), rhythm, grace, most);
    let CheckDefinition { name, spec } = checked.map_err(|error| {
        renamed(error, |field| match field {
            "name" => at.clone(),
            "schedule.scheduled_at" => format!("{at}.schedule"),
            "schedule.timezone" => format!("{at}.timezone"),
            field => format!("{at}.{field}"),
        })
    })?;
    let labels = labels.as_deref().unwrap_or_default();
    let labels_groups = names.groups(&format!("{at}.labels"), GroupKind::Labels, labels)?;
    Ok(CheckState { name, spec: JobSpec { labels_groups, ..spec } })
}

/// A check as it is declared; what has its default is left out.
pub(super) fn declared(spec: &JobSpec, names: &Names) -> DeclaredCheck {
    let unless = |value: i32, default: i32| Some(value).filter(|value| *value != default);
    let check = DeclaredCheck {
        description: Some(spec.description.clone()).filter(|text| !text.is_empty()),
        max_duration_seconds: unless(spec.max_duration_seconds, 0),
        labels: names.of_groups(&spec.labels_groups),
        ..DeclaredCheck::default()
    };
    let Schedule::Check { rhythm, grace_seconds } = &spec.schedule else { return check };
    let check = DeclaredCheck { grace_seconds: unless(*grace_seconds, DEFAULT_GRACE_SECONDS), ..check };
    match rhythm {
        Rhythm::Cron { scheduled_at, timezone } => DeclaredCheck {
            schedule: Some(scheduled_at.clone()),
            timezone: Some(timezone.clone()).filter(|zone| zone != DEFAULT_TIMEZONE),
            ..check
        },
        Rhythm::Period { seconds } => DeclaredCheck { period_seconds: Some(*seconds), ..check },
    }
}
