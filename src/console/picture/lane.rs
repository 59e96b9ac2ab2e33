//! Pure: a job and its times, as a lane of the timeline.

use chrono::{DateTime, Utc};

use super::shade::Shade;

/// A run, a skipped time, or a planned one.
#[derive(Clone, Debug)]
pub struct LaneItem {
    pub shade: Shade,
    pub from: DateTime<Utc>,
    /// The end; now for a run that has not ended, and the beginning for what takes no time.
    pub until: DateTime<Utc>,
    /// What it is, in words, with the reason of a skipped time.
    pub title: String,
    pub href: Option<String>,
}

/// A job.
#[derive(Clone, Debug)]
pub struct Lane {
    pub name: String,
    pub href: String,
    pub items: Vec<LaneItem>,
}
