//! Calendars, pure: which times a calendar contains, and which times the calendars of a job remove from its schedule.

mod contents;
mod ical;
mod ical_series;
mod of_job;

pub use self::contents::Calendar;
pub use self::ical::read_ical;
pub use self::of_job::{Calendars, EXCLUDE, ONLY, names};
