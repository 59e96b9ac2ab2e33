//! Pure: the times of a schedule that are held back by request: those of a pause, and single ones.

use chrono::{DateTime, Utc};
use entity::{schedule_pause, schedule_skip};

/// The pause of a schedule and its times to skip.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holds {
    pub pause: Option<schedule_pause::Model>,
    /// In the order of their times.
    pub skips: Vec<schedule_skip::Model>,
}

/// Why a time is held back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold<'a> {
    Pause(&'a schedule_pause::Model),
    Skip(&'a schedule_skip::Model),
}

impl Holds {
    /// Why a time is held back; none if it is not.
    #[must_use]
    pub fn of(&self, time: DateTime<Utc>) -> Option<Hold<'_>> {
        let skip = self.skips.iter().find(|skip| skip.scheduled_for == time).map(Hold::Skip);
        skip.or_else(|| self.paused(time).map(Hold::Pause))
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
        self.pause.is_none() && self.skips.is_empty()
    }
}
