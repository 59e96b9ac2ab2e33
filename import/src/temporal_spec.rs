//! Pure: calendars and intervals of Temporal as expressions.

use serde_json::Value;

use super::document::{count, list};

const HOUR: u64 = 60;
const DAY: u64 = 24 * HOUR;
const WEEK: u64 = 7 * DAY;

/// The weekday of the first day of 1970.
const FIRST_WEEKDAY: u64 = 4;

/// The expression of a structured calendar.
pub(crate) fn calendar(of: &Value) -> Result<String, String> {
    if !list(of, "year").is_empty() {
        return Err("temporal year: schedules have no years".into());
    }
    if ranges(of, "second")? != "0" {
        return Err("temporal second: schedules have a resolution of one minute, at second 0".into());
    }
    let fields = ["minute", "hour", "dayOfMonth", "month", "dayOfWeek"];
    let fields = fields.into_iter().map(|key| ranges(of, key)).collect::<Result<Vec<_>, _>>()?;
    Ok(fields.join(" "))
}

/// The ranges of a field as a list. Zeros are left out in JSON.
fn ranges(of: &Value, key: &str) -> Result<String, String> {
    let all = list(of, key);
    if all.is_empty() {
        return Err(format!("temporal {key}: without a value, it never runs"));
    }
    let written = all.iter().map(|range| {
        let start = count(range, "start").unwrap_or(0);
        let end = count(range, "end").unwrap_or(0).max(start);
        let step = count(range, "step").unwrap_or(1).max(1);
        match (start == end, step) {
            (true, _) => start.to_string(),
            (false, 1) => format!("{start}-{end}"),
            (false, step) => format!("{start}-{end}/{step}"),
        }
    });
    Ok(written.collect::<Vec<_>>().join(","))
}

/// The expression, in UTC, of the times that are a number of intervals and a phase after the beginning of 1970.
pub(crate) fn interval(every: &str, phase: &str) -> Result<String, String> {
    let refuse = |why: &str| format!("temporal interval {every:?} with the phase {phase:?}: {why}");
    let (length, offset) =
        whole_seconds(every).zip(whole_seconds(phase)).ok_or_else(|| refuse("it is no whole seconds"))?;
    if length == 0 || length % 60 != 0 || offset % 60 != 0 {
        return Err(refuse("schedules have a resolution of one minute, at second 0"));
    }
    let length = length / 60;
    let offset = offset / 60 % length;
    let (minute, hour) = (offset % HOUR, offset / HOUR % 24);
    let every = |from: u64, step: u64, below: u64| {
        let width = usize::try_from(step).unwrap_or(usize::MAX);
        (from..below).step_by(width).map(|value| value.to_string()).collect::<Vec<_>>().join(",")
    };
    if HOUR.is_multiple_of(length) {
        Ok(format!("{} * * * *", every(minute, length, HOUR)))
    } else if length.is_multiple_of(HOUR) && DAY.is_multiple_of(length) {
        Ok(format!("{minute} {} * * *", every(hour, length / HOUR, 24)))
    } else if length == WEEK {
        Ok(format!("{minute} {hour} * * {}", (FIRST_WEEKDAY + offset / DAY) % 7))
    } else {
        Err(refuse("it divides neither an hour nor a day"))
    }
}

/// The seconds of a span such as `90s`.
pub(crate) fn whole_seconds(text: &str) -> Option<u64> {
    let number = text.strip_suffix('s')?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    whole.parse().ok().filter(|_| fraction.chars().all(|digit| digit == '0'))
}

#[cfg(test)]
mod tests {
    use super::{interval, whole_seconds};

    #[test]
    fn intervals_that_fit_the_clock_are_expressions() {
        for (every, phase, expression) in [
            (
                "60s",
                "0s",
                "0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31,32,33,34,35,36,37,38,39,40,41,42,43,44,45,46,47,48,49,50,51,52,53,54,55,56,57,58,59 * * * *",
            ),
            ("900s", "300s", "5,20,35,50 * * * *"),
            ("3600s", "0s", "0 * * * *"),
            ("3600.000s", "4200s", "10 * * * *"),
            ("28800s", "5400s", "30 1,9,17 * * *"),
            ("86400s", "0s", "0 0 * * *"),
            ("604800s", "363600s", "0 5 * * 1"),
        ] {
            assert_eq!(interval(every, phase).as_deref(), Ok(expression), "{every} {phase}");
        }
        for (every, phase) in
            [("90s", "0s"), ("3600s", "30s"), ("5400s", "0s"), ("172800s", "0s"), ("0s", "0s"), ("1h", "0s")]
        {
            assert!(interval(every, phase).is_err(), "{every} {phase}");
        }
        assert_eq!((whole_seconds("1.5s"), whole_seconds("-1s"), whole_seconds("")), (None, None, None));
    }
}
