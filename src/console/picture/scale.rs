//! Pure: from values to places in a picture.

use chrono::{DateTime, TimeDelta, Utc};

/// A number for drawing. The values of pictures are far below the 2^53 up to which this is exact.
pub(super) fn number(value: impl TryInto<u32>) -> f64 {
    value.try_into().map_or(f64::from(u32::MAX), f64::from)
}

/// Milliseconds for drawing.
pub(super) fn millis(value: u64) -> f64 {
    std::time::Duration::from_millis(value).as_secs_f64() * 1000.0
}

/// A span of time along the width of a picture.
#[derive(Clone, Copy, Debug)]
pub(super) struct TimeScale {
    pub(super) from: DateTime<Utc>,
    pub(super) until: DateTime<Utc>,
    pub(super) left: f64,
    pub(super) width: f64,
}

impl TimeScale {
    /// Where a time is; times outside are at the ends.
    pub(super) fn x(&self, at: DateTime<Utc>) -> f64 {
        let seconds = |span: TimeDelta| span.to_std().map_or(0.0, |span| span.as_secs_f64());
        let whole = seconds(self.until - self.from).max(0.001);
        self.left + (seconds(at - self.from) / whole).clamp(0.0, 1.0) * self.width
    }

    pub(super) fn contains(&self, at: DateTime<Utc>) -> bool {
        self.from <= at && at < self.until
    }
}

/// The smallest "round" duration in milliseconds that is not below `value`, as the end of an axis.
pub(super) fn round_up(value: u64) -> u64 {
    const SECOND: u64 = 1000;
    const MINUTE: u64 = 60 * SECOND;
    const HOUR: u64 = 60 * MINUTE;
    let steps = [
        10,
        20,
        50,
        100,
        200,
        500,
        SECOND,
        2 * SECOND,
        4 * SECOND,
        10 * SECOND,
        20 * SECOND,
        40 * SECOND,
        MINUTE,
        2 * MINUTE,
        4 * MINUTE,
        10 * MINUTE,
        20 * MINUTE,
        40 * MINUTE,
        HOUR,
        2 * HOUR,
        4 * HOUR,
        8 * HOUR,
        12 * HOUR,
        24 * HOUR,
    ];
    let days = 48 * HOUR;
    steps.into_iter().find(|step| *step >= value).unwrap_or_else(|| value.div_ceil(days).saturating_mul(days))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places() {
        let from = DateTime::<Utc>::UNIX_EPOCH;
        let scale = TimeScale { from, until: from + TimeDelta::hours(1), left: 100.0, width: 600.0 };
        let at = |minutes| scale.x(from + TimeDelta::minutes(minutes)).round();
        assert_eq!([at(0), at(6), at(60), at(-5), at(90)], [100.0, 160.0, 700.0, 100.0, 700.0]);
        assert!(scale.contains(from) && !scale.contains(from + TimeDelta::hours(1)));
        let empty = TimeScale { until: from, ..scale };
        assert!(empty.x(from).is_finite());
    }

    #[test]
    fn ends_of_axes() {
        assert_eq!([0, 11, 1001, 61_000, 90_000_000].map(round_up), [10, 20, 2000, 120_000, 172_800_000]);
    }
}
