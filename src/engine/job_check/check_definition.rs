//! The definition of a check, and what is valid in it.

use std::collections::BTreeMap;

use entity::job_spec::{Healthchecks, JobSpec, JobType, Rhythm, Schedule, Source};

use crate::engine::definition::{DEFAULT_TIMEZONE, check_times, default_icon};
use crate::engine::faults::Faults;
use crate::engine::limits;
use crate::error::{Error, Result};

/// How late a ping may be, unless its check says otherwise.
pub const DEFAULT_GRACE_SECONDS: i32 = 300;
/// The longest grace and time limit: 30 days.
const LONGEST: i32 = 30 * 86_400;
/// The shortest and the longest period: a minute, and a year.
const PERIOD: (i32, i32) = (60, 366 * 86_400);

/// When pings are expected, as a caller has given it.
#[derive(Clone, Debug, Default)]
pub struct GivenRhythm {
    /// A cron expression, and a time zone.
    pub times: Option<(String, Option<String>)>,
    pub period_seconds: Option<i32>,
}

/// The valid definition of a check.
#[derive(Clone, Debug)]
pub struct CheckDefinition {
    pub name: String,
    pub spec: JobSpec,
}

impl CheckDefinition {
    /// Checks a definition.
    ///
    /// # Errors
    /// `Invalid` or `Faults`.
    pub fn new(
        (name, description): (&str, String),
        rhythm: GivenRhythm,
        grace_seconds: i32,
        max_duration_seconds: i32,
    ) -> Result<Self> {
        let mut faults = Faults::default();
        let name = faults.note(limits::name("name", name));
        let description = faults.note(limits::text("description", description));
        let nothing = Rhythm::Period { seconds: PERIOD.0 };
        let rhythm = faults.note_or(check_rhythm(rhythm), nothing);
        let grace_seconds = faults.note(limits::between("grace_seconds", grace_seconds, 1, LONGEST));
        let most = faults.note(limits::between("max_duration_seconds", max_duration_seconds, 0, LONGEST));
        faults.result()?;
        Ok(Self { name, spec: check_spec(description, Schedule::Check { rhythm, grace_seconds }, most) })
    }
}

fn check_rhythm(given: GivenRhythm) -> Result<Rhythm> {
    match (given.times, given.period_seconds) {
        (Some((scheduled_at, timezone)), None) => {
            let timezone = timezone.filter(|zone| !zone.is_empty()).unwrap_or_else(|| DEFAULT_TIMEZONE.to_owned());
            let (expression, _) = check_times("schedule.", &scheduled_at, &timezone)?;
            if expression.is_at_start() {
                let text = "@reboot is a start of this server, and what is checked runs elsewhere";
                return Err(Error::invalid("schedule.scheduled_at", text));
            }
            if !expression.can_fire() {
                let text = "never fires, because none of its months has such a day; no ping would ever be expected";
                return Err(Error::invalid("schedule.scheduled_at", text));
            }
            Ok(Rhythm::Cron { scheduled_at, timezone })
        }
        (None, Some(seconds)) => {
            limits::between("period_seconds", seconds, PERIOD.0, PERIOD.1).map(|seconds| Rhythm::Period { seconds })
        }
        (None, None) => Err(Error::invalid("schedule", "is required, unless there is a period_seconds")),
        (Some(_), Some(_)) => {
            Err(Error::invalid("period_seconds", "must not be given together with a schedule: pings have one rhythm"))
        }
    }
}

/// The configuration of a check. It needs no image and no resources.
#[must_use]
pub fn check_spec(description: String, schedule: Schedule, max_duration_seconds: i32) -> JobSpec {
    JobSpec {
        description,
        cpu_milli: 0,
        memory_mib: 0,
        gpu: 0,
        ephemeral_storage_gib: None,
        cpu_architecture: None,
        max_nb_restart: 0,
        max_duration_seconds,
        auto_preview: false,
        auto_deploy: false,
        port: None,
        icon_uri: default_icon(JobType::Check),
        healthchecks: Healthchecks::default(),
        source: Source::none(),
        schedule,
        annotations_groups: Vec::new(),
        labels_groups: Vec::new(),
        settings: BTreeMap::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::{CheckDefinition, GivenRhythm};

    fn refusal(times: Option<(&str, Option<&str>)>, period: Option<i32>, grace: i32, limit: i32) -> String {
        let times = times.map(|(at, zone)| (at.to_owned(), zone.map(str::to_owned)));
        let given = GivenRhythm { times, period_seconds: period };
        let checked = CheckDefinition::new(("backup", String::new()), given, grace, limit);
        checked.map_or_else(|error| error.public(), |_| "valid".into())
    }

    #[test]
    fn a_check_has_one_rhythm_and_a_grace() {
        let nightly = Some(("0 3 * * *", Some("Europe/Paris")));
        for (given, text) in [
            ((nightly, None, 60, 0), "valid"),
            ((None, Some(60), 1, 3600), "valid"),
            ((None, None, 60, 0), "schedule: is required, unless there is a period_seconds"),
            (
                (nightly, Some(60), 60, 0),
                "period_seconds: must not be given together with a schedule: pings have one rhythm",
            ),
            ((None, Some(59), 60, 0), "period_seconds: must be between 60 and 31622400, not 59"),
            ((None, Some(60), 0, 0), "grace_seconds: must be between 1 and 2592000, not 0"),
            ((None, Some(60), 60, -1), "max_duration_seconds: must be between 0 and 2592000, not -1"),
        ] {
            let (times, period, grace, limit) = given;
            assert_eq!(refusal(times, period, grace, limit), text);
        }
        let impossible = refusal(Some(("0 3 31 2 *", None)), None, 60, 0);
        assert!(impossible.starts_with("schedule.scheduled_at: never fires"), "{impossible}");
        let start = refusal(Some(("@reboot", None)), None, 60, 0);
        assert!(start.starts_with("schedule.scheduled_at: @reboot is a start of this server"), "{start}");
        let zone = refusal(Some(("0 3 * * *", Some("Mars/North"))), None, 60, 0);
        assert!(zone.starts_with("schedule.timezone: "), "{zone}");
    }
}
