//! Pure: the times of a schedule that are held back: by request, those of a pause, and single ones; and by calendars.

use chrono::{DateTime, Utc};
use entity::skipped_time::SkipReason;
use entity::{schedule_pause, schedule_skip};

use crate::engine::calendar::Calendars;

/// The pause of a schedule, its times to skip, and its calendars.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holds {
    pub pause: Option<schedule_pause::Model>,
    /// In the order of their times.
    pub skips: Vec<schedule_skip::Model>,
    pub calendars: Calendars,
}

/// Why a time is held back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hold<'a> {
    Pause(&'a schedule_pause::Model),
    Skip(&'a schedule_skip::Model),
    /// Which calendar removes it, and by which entry.
    Calendar(String),
}

impl Hold<'_> {
    /// The reason of the skipped time.
    pub(super) fn reason(&self) -> SkipReason {
        match self {
            Self::Pause(_) | Self::Skip(_) => SkipReason::Paused,
            Self::Calendar(_) => SkipReason::Calendar,
        }
    }
}

impl Holds {
    /// Why a time is held back; none if it is not.
    #[must_use]
    pub fn of(&self, time: DateTime<Utc>) -> Option<Hold<'_>> {
        let skip = self.skips.iter().find(|skip| skip.scheduled_for == time).map(Hold::Skip);
        let paused = || self.paused(time).map(Hold::Pause);
        skip.or_else(paused).or_else(|| self.calendars.removal(time).map(Hold::Calendar))
    }

    /// The pause that a time is in.
    #[must_use]
    pub fn paused(&self, time: DateTime<Utc>) -> Option<&schedule_pause::Model> {
        let within =
            |pause: &&schedule_pause::Model| pause.paused_at <= time && pause.until.is_none_or(|until| time < until);
        self.pause.as_ref().filter(within)
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pause.is_none() && self.skips.is_empty() && self.calendars.is_empty()
    }
}
