//! Pure: one time zone, as a time zone of chrono.

use std::fmt;

use chrono::{DateTime, FixedOffset, MappedLocalTime, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeZone, Utc};
use chrono::{Datelike as _, Timelike as _};
use jiff::tz::AmbiguousOffset;
use jiff::{Timestamp, civil};

/// A time zone. Zones are loaded once and kept as long as the process runs, so a copy is only a reference.
#[derive(Clone, Copy)]
pub struct Zone(&'static Rules);

struct Rules {
    name: String,
    rules: jiff::tz::TimeZone,
}

/// A change of the offset of a zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockChange {
    pub at: DateTime<Utc>,
    pub before: FixedOffset,
    pub after: FixedOffset,
}

/// The offset of a zone at an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ZoneOffset {
    zone: Zone,
    offset: FixedOffset,
}

impl Zone {
    /// Parses a compiled zone.
    pub(super) fn parse(name: &str, data: &[u8]) -> Option<Self> {
        let rules = jiff::tz::TimeZone::tzif(name, data).ok()?;
        Some(Self(Box::leak(Box::new(Rules { name: name.to_owned(), rules }))))
    }

    /// The IANA name.
    #[must_use]
    pub fn name(self) -> &'static str {
        &self.0.name
    }

    /// The changes of the offset after `after`, in order.
    pub fn changes(self, after: DateTime<Utc>) -> impl Iterator<Item = ClockChange> {
        let start = timestamp(after.naive_utc());
        let offset_at = move |at: Timestamp| fixed(self.0.rules.to_offset(at));
        self.0.rules.following(start).filter_map(move |transition| {
            let at = transition.timestamp();
            let before = offset_at(at.checked_sub(jiff::SignedDuration::from_secs(1)).ok()?);
            let after = fixed(transition.offset());
            let at = DateTime::from_timestamp(at.as_second(), 0)?;
            (before != after).then_some(ClockChange { at, before, after })
        })
    }

    /// What the zone calls its time at an instant, such as CET; a number if it has no name for it.
    #[must_use]
    pub fn abbreviation(self, at: DateTime<Utc>) -> String {
        self.0.rules.to_offset_info(timestamp(at.naive_utc())).abbreviation().to_owned()
    }

    fn with(self, offset: FixedOffset) -> ZoneOffset {
        ZoneOffset { zone: self, offset }
    }
}

fn timestamp(utc: NaiveDateTime) -> Timestamp {
    let seconds = utc.and_utc().timestamp();
    Timestamp::from_second(seconds).unwrap_or(if seconds < 0 { Timestamp::MIN } else { Timestamp::MAX })
}

/// Offsets of a day or more do not exist.
fn fixed(offset: jiff::tz::Offset) -> FixedOffset {
    FixedOffset::east_opt(offset.seconds()).unwrap_or(Utc.fix())
}

/// The same wall-clock time; none beyond the years that zones have rules for.
fn civil(local: &NaiveDateTime) -> Option<civil::DateTime> {
    let small = |number: u32| i8::try_from(number).ok();
    civil::DateTime::new(
        i16::try_from(local.year()).ok()?,
        small(local.month())?,
        small(local.day())?,
        small(local.hour())?,
        small(local.minute())?,
        small(local.second())?,
        0,
    )
    .ok()
}

impl TimeZone for Zone {
    type Offset = ZoneOffset;

    fn from_offset(offset: &ZoneOffset) -> Self {
        offset.zone
    }

    fn offset_from_local_date(&self, local: &NaiveDate) -> MappedLocalTime<ZoneOffset> {
        self.offset_from_local_datetime(&local.and_time(NaiveTime::MIN))
    }

    fn offset_from_local_datetime(&self, local: &NaiveDateTime) -> MappedLocalTime<ZoneOffset> {
        let Some(civil) = civil(local) else { return MappedLocalTime::None };
        match self.0.rules.to_ambiguous_timestamp(civil).offset() {
            AmbiguousOffset::Unambiguous { offset } => MappedLocalTime::Single(self.with(fixed(offset))),
            AmbiguousOffset::Gap { .. } => MappedLocalTime::None,
            AmbiguousOffset::Fold { before, after } => {
                MappedLocalTime::Ambiguous(self.with(fixed(before)), self.with(fixed(after)))
            }
        }
    }

    fn offset_from_utc_date(&self, utc: &NaiveDate) -> ZoneOffset {
        self.offset_from_utc_datetime(&utc.and_time(NaiveTime::MIN))
    }

    fn offset_from_utc_datetime(&self, utc: &NaiveDateTime) -> ZoneOffset {
        self.with(fixed(self.0.rules.to_offset(timestamp(*utc))))
    }
}

impl Offset for ZoneOffset {
    fn fix(&self) -> FixedOffset {
        self.offset
    }
}

impl PartialEq for Zone {
    fn eq(&self, other: &Self) -> bool {
        self.0.name == other.0.name
    }
}

impl Eq for Zone {}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.name)
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.name)
    }
}

impl fmt::Display for ZoneOffset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.offset.fmt(f)
    }
}
