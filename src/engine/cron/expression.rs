//! Pure: the cron dialect of Kubernetes, and when an expression fires in a time zone.
//!
//! Five fields (minute, hour, day of month, month, day of week) with `*`, `?`, numbers, names, ranges, lists
//! and steps, or a macro. 0 and 7 are Sunday. When both day fields are restricted either one is enough; `*/n`
//! with n above 1 counts as a restriction (rules of robfig/cron, which Kubernetes uses).
//!
//! Daylight saving: a schedule with fixed hours whose wall-clock time does not come that day fires at the first
//! instant after the gap. A schedule whose minutes and hours are both plain lists fires once in a repeated hour,
//! at its first pass. Where the minutes or the hours are `*` or a step, the schedule follows elapsed time: it
//! fires in both passes, and with such hours it does not make up for hours that were left out.

use chrono::{
    DateTime, Datelike, Days, MappedLocalTime, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeDelta, TimeZone,
    Timelike, Utc,
};
use chrono_tz::Tz;

/// Why an expression or a time zone is refused; the text is for the person who wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused(pub String);

/// A parsed expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    minutes: Field,
    hours: Field,
    days: Field,
    months: Field,
    weekdays: Field,
}

/// One field: the values that match as bits, and how it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Field {
    bits: u64,
    /// `*` or `?`, without a step above 1.
    star: bool,
    /// `*`, `?` or a step: follows elapsed time.
    interval: bool,
}

struct Bounds {
    name: &'static str,
    low: u32,
    high: u32,
    names: &'static [&'static str],
}

const MINUTE: Bounds = Bounds { name: "minute", low: 0, high: 59, names: &[] };
const HOUR: Bounds = Bounds { name: "hour", low: 0, high: 23, names: &[] };
const DAY: Bounds = Bounds { name: "day of month", low: 1, high: 31, names: &[] };
const MONTH: Bounds = Bounds {
    name: "month",
    low: 1,
    high: 12,
    names: &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
};
const WEEKDAY: Bounds =
    Bounds { name: "day of week", low: 0, high: 7, names: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"] };

/// The longest wait between two times: 29 February across a century that is no leap year, and a margin.
const MAX_MONTHS: usize = 12 * 9;

/// Longer than any gap or overlap that a time zone ever had (a day, at the date line).
const WINDOW: TimeDelta = TimeDelta::hours(27);

/// Parses an IANA time zone name.
///
/// # Errors
/// When the name is not in the time zone database.
pub fn parse_timezone(name: &str) -> Result<Tz, Refused> {
    name.parse().map_err(|_| Refused(format!("{name:?} is not an IANA time zone such as Europe/Paris")))
}

impl std::str::FromStr for Schedule {
    type Err = Refused;

    fn from_str(text: &str) -> Result<Self, Refused> {
        let expression = match text.trim() {
            "@yearly" | "@annually" => "0 0 1 1 *",
            "@monthly" => "0 0 1 * *",
            "@weekly" => "0 0 * * 0",
            "@daily" | "@midnight" => "0 0 * * *",
            "@hourly" => "0 * * * *",
            other if other.starts_with("@every") => {
                return Err(Refused("@every names no fixed times; write a step such as */5 * * * *".into()));
            }
            other if other.starts_with('@') => {
                return Err(Refused(format!(
                    "{other:?} is not one of @hourly, @daily, @midnight, @weekly, @monthly, @yearly, @annually"
                )));
            }
            other => other,
        };
        let fields: Vec<&str> = expression.split_whitespace().collect();
        let [minutes, hours, days, months, weekdays] = fields.as_slice() else {
            return Err(Refused(format!(
                "expected five fields (minute hour day month weekday), found {}",
                fields.len()
            )));
        };
        let schedule = Self {
            minutes: parse_field(minutes, &MINUTE)?,
            hours: parse_field(hours, &HOUR)?,
            days: parse_field(days, &DAY)?,
            months: parse_field(months, &MONTH)?,
            weekdays: fold_sunday(parse_field(weekdays, &WEEKDAY)?),
        };
        if schedule.can_fire() {
            Ok(schedule)
        } else {
            Err(Refused(format!("{text:?} never fires: no such day in these months")))
        }
    }
}

/// Reads an expression as Quartz writes it: seconds first, a year that may follow, `?` in a field of days, and 1 for
/// Sunday. One with five fields is read as everywhere else.
///
/// # Errors
/// When it cannot be read, when its seconds are not 0, or its years are restricted: schedules have minutes.
pub fn from_quartz(text: &str) -> Result<Schedule, Refused> {
    let fields: Vec<&str> = text.split_whitespace().collect();
    let (seconds, rest) = match fields.as_slice() {
        [seconds, rest @ ..] if rest.len() == 5 || rest.len() == 6 => (*seconds, rest),
        _ => return text.parse(),
    };
    if seconds != "0" && seconds != "00" {
        return Err(Refused(format!("the seconds of {text:?} have to be 0: schedules have minutes")));
    }
    let [minutes, hours, days, months, weekdays, years @ ..] = rest else { return text.parse() };
    if years.iter().any(|years| *years != "*" && *years != "?") {
        return Err(Refused(format!("the years of {text:?} cannot be restricted")));
    }
    // Numbers of days of the week are one more than everywhere else; those of steps and names are the same.
    let day = |part: &str| match part.parse::<u32>() {
        Ok(number @ 1..=7) => Ok((number - 1).to_string()),
        Ok(number) => Err(Refused(format!("{number} is no day of the week: they are 1 to 7, from Sunday on"))),
        Err(_) => Ok(part.to_owned()),
    };
    let mut lists = Vec::new();
    for item in weekdays.split(',') {
        let (range, step) = item.split_once('/').map_or((item, None), |(range, step)| (range, Some(step)));
        let ends = range.split('-').map(day).collect::<Result<Vec<_>, _>>()?.join("-");
        lists.push(step.map_or(ends.clone(), |step| format!("{ends}/{step}")));
    }
    format!("{minutes} {hours} {days} {months} {}", lists.join(",")).parse()
}

/// An expression as Kubernetes takes it: there 7 is no day of the week.
///
/// # Errors
/// When it cannot be read.
pub fn for_kubernetes(text: &str) -> Result<String, Refused> {
    let schedule: Schedule = text.parse()?;
    let fields: Vec<&str> = text.split_whitespace().collect();
    let [minutes, hours, days, months, weekdays] = fields.as_slice() else { return Ok(text.trim().to_owned()) };
    let weekdays = match weekdays.contains('7') {
        true => {
            let listed = (0..7).filter(|day| schedule.weekdays.bits >> day & 1 == 1);
            listed.map(|day: u32| day.to_string()).collect::<Vec<_>>().join(",")
        }
        false => (*weekdays).to_owned(),
    };
    Ok(format!("{minutes} {hours} {days} {months} {weekdays}"))
}

/// What happens to a wall-clock time that the clocks leave out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gap {
    /// It fires at the first instant after the gap.
    RunAfter,
    Skip,
}

/// What happens to a wall-clock time that comes twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overlap {
    First,
    Last,
    Both,
}

/// What was chosen for the turns of the clocks; none leaves it to the expression, as the module says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Turns {
    pub gap: Option<Gap>,
    pub overlap: Option<Overlap>,
}

impl Schedule {
    /// The first time after `after`. None only beyond the range of the calendar.
    #[must_use]
    pub fn next(&self, after: DateTime<Utc>, zone: Tz) -> Option<DateTime<Utc>> {
        self.next_by(after, zone, Turns::default())
    }

    /// `next` with choices for the turns of the clocks.
    #[must_use]
    pub fn next_by(&self, after: DateTime<Utc>, zone: Tz, turns: Turns) -> Option<DateTime<Utc>> {
        let gap = turns.gap.unwrap_or(if self.hours.interval { Gap::Skip } else { Gap::RunAfter });
        let overlap = turns.overlap.unwrap_or(if self.repeats() { Overlap::Both } else { Overlap::First });
        let local = minute_of(after.with_timezone(&zone).naive_local())?;
        let ahead = self.next_ahead(local, after, zone, (gap, overlap));
        if overlap == Overlap::First {
            return ahead;
        }
        let again = self.next_in_second_pass(local, after, zone);
        match (ahead, again) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }

    /// Whether some calendar day of some month matches.
    fn can_fire(&self) -> bool {
        if !self.weekdays.star {
            return true;
        }
        let first_day = self.days.bits.trailing_zeros();
        (1..=12).any(|month| self.months.has(month) && first_day <= longest(month))
    }

    /// Whether a repeated hour counts twice.
    fn repeats(&self) -> bool {
        self.minutes.interval || self.hours.interval
    }

    /// The first time whose wall clock is later than `local`.
    fn next_ahead(
        &self,
        local: NaiveDateTime,
        after: DateTime<Utc>,
        zone: Tz,
        (gap, overlap): (Gap, Overlap),
    ) -> Option<DateTime<Utc>> {
        let mut wall = local;
        loop {
            wall = self.next_wall(wall)?;
            let found = match zone.from_local_datetime(&wall) {
                MappedLocalTime::Single(time) => Some(time.to_utc()),
                MappedLocalTime::Ambiguous(first, second) => match overlap {
                    Overlap::First => Some(first.to_utc()),
                    Overlap::Last => Some(second.to_utc()),
                    Overlap::Both => [first.to_utc(), second.to_utc()].into_iter().find(|time| *time > after),
                },
                MappedLocalTime::None => match gap {
                    Gap::RunAfter => gap_end(wall, zone),
                    Gap::Skip => None,
                },
            };
            if let Some(time) = found.filter(|time| *time > after) {
                return Some(time);
            }
        }
    }

    /// In the first pass of a repeated hour: the first time of its second pass.
    fn next_in_second_pass(&self, local: NaiveDateTime, after: DateTime<Utc>, zone: Tz) -> Option<DateTime<Utc>> {
        let MappedLocalTime::Ambiguous(first, second) = zone.from_local_datetime(&local) else {
            return None;
        };
        if after >= second.to_utc() {
            return None;
        }
        let offset = first.offset().fix();
        let turn = first_where(first.to_utc(), second.to_utc(), |time| {
            zone.offset_from_utc_datetime(&time.naive_utc()).fix() != offset
        })?;
        let start = turn.with_timezone(&zone).naive_local();
        let wall = self.next_wall(minute_of(start.checked_sub_signed(TimeDelta::seconds(1))?)?)?;
        let time = wall.checked_sub_offset(second.offset().fix())?.and_utc();
        (time > after).then_some(time)
    }

    /// The first matching minute of the wall clock after `after`.
    fn next_wall(&self, after: NaiveDateTime) -> Option<NaiveDateTime> {
        let from = minute_of(after)?.checked_add_signed(TimeDelta::minutes(1))?;
        if self.matches_day(from.date())
            && let Some(time) = self.time_from(from.time())
        {
            return Some(from.date().and_time(time));
        }
        let mut day = from.date().checked_add_days(Days::new(1))?;
        for _ in 0..MAX_MONTHS {
            let month = (day.year(), day.month());
            while (day.year(), day.month()) == month {
                if !self.months.has(day.month()) {
                    break;
                }
                if self.matches_day(day) {
                    return Some(day.and_time(self.time_from(NaiveTime::MIN)?));
                }
                day = day.checked_add_days(Days::new(1))?;
            }
            if (day.year(), day.month()) == month {
                day = first_of_next_month(day)?;
            }
        }
        None
    }

    fn matches_day(&self, date: NaiveDate) -> bool {
        let day = self.days.has(date.day());
        let weekday = self.weekdays.has(date.weekday().num_days_from_sunday());
        self.months.has(date.month())
            && if self.days.star || self.weekdays.star { day && weekday } else { day || weekday }
    }

    /// The first matching time of day that is not before `from`.
    fn time_from(&self, from: NaiveTime) -> Option<NaiveTime> {
        if self.hours.has(from.hour())
            && let Some(minute) = self.minutes.first_from(from.minute())
        {
            return NaiveTime::from_hms_opt(from.hour(), minute, 0);
        }
        let hour = self.hours.first_from(from.hour() + 1)?;
        NaiveTime::from_hms_opt(hour, self.minutes.first_from(0)?, 0)
    }
}

impl Field {
    fn has(self, value: u32) -> bool {
        value < u64::BITS && self.bits >> value & 1 == 1
    }

    fn first_from(self, value: u32) -> Option<u32> {
        let rest = self.bits.checked_shr(value)?;
        (rest != 0).then(|| value + rest.trailing_zeros())
    }
}

fn parse_field(text: &str, bounds: &Bounds) -> Result<Field, Refused> {
    let mut field = Field { bits: 0, star: false, interval: false };
    for part in text.split(',') {
        let part = parse_part(part, bounds)?;
        field.bits |= part.bits;
        field.star |= part.star;
        field.interval |= part.interval;
    }
    Ok(field)
}

fn parse_part(text: &str, bounds: &Bounds) -> Result<Field, Refused> {
    let refuse = |why: &str| Refused(format!("{} {text:?}: {why}", bounds.name));
    let (range, step) = match text.split_once('/') {
        Some((range, step)) => (range, Some(step)),
        None => (text, None),
    };
    let step_width = match step {
        Some(step) => step.parse().ok().filter(|n| *n > 0).ok_or_else(|| refuse("a step is a number above 0"))?,
        None => 1_u32,
    };
    let everything = range == "*" || range == "?";
    let (low, high) = if everything {
        (bounds.low, if bounds.high == 7 { 6 } else { bounds.high })
    } else if let Some((low, high)) = range.split_once('-') {
        (parse_value(low, bounds, text)?, parse_value(high, bounds, text)?)
    } else {
        let value = parse_value(range, bounds, text)?;
        (
            value,
            if step.is_some() {
                bounds.high.min(if bounds.high == 7 { 6.max(value) } else { bounds.high })
            } else {
                value
            },
        )
    };
    if low > high {
        return Err(refuse("the range ends before it begins"));
    }
    let mut bits = 0;
    let mut value = low;
    while value <= high {
        bits |= 1 << value;
        value = value.saturating_add(step_width);
    }
    Ok(Field { bits, star: everything && step_width == 1, interval: everything || step.is_some() })
}

fn parse_value(text: &str, bounds: &Bounds, part: &str) -> Result<u32, Refused> {
    let lower = text.to_ascii_lowercase();
    let named = bounds.names.iter().zip(bounds.low..).find(|(name, _)| **name == lower);
    let number = match named {
        Some((_, value)) => Some(value),
        None if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) => text.parse().ok(),
        None => None,
    };
    let Some(value) = number else {
        return Err(Refused(format!("{} {part:?}: {text:?} is neither a number nor a name", bounds.name)));
    };
    if (bounds.low..=bounds.high).contains(&value) {
        Ok(value)
    } else {
        Err(Refused(format!("{} {part:?}: {value} is not between {} and {}", bounds.name, bounds.low, bounds.high)))
    }
}

/// 7 is Sunday, as is 0.
fn fold_sunday(field: Field) -> Field {
    let sunday = field.bits >> 7 & 1;
    Field { bits: (field.bits | sunday) & 0x7f, ..field }
}

fn longest(month: u32) -> u32 {
    match month {
        2 => 29,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn minute_of(time: NaiveDateTime) -> Option<NaiveDateTime> {
    time.with_second(0)?.with_nanosecond(0)
}

fn first_of_next_month(day: NaiveDate) -> Option<NaiveDate> {
    let (year, month) = if day.month() == 12 { (day.year() + 1, 1) } else { (day.year(), day.month() + 1) };
    NaiveDate::from_ymd_opt(year, month, 1)
}

/// The instant at which the clocks pass over `wall`, a time that they leave out.
pub(in crate::engine) fn gap_end(wall: NaiveDateTime, zone: Tz) -> Option<DateTime<Utc>> {
    let low = wall.and_utc().checked_sub_signed(WINDOW)?;
    let high = wall.and_utc().checked_add_signed(WINDOW)?;
    first_where(low, high, |time| time.with_timezone(&zone).naive_local() > wall)
}

/// The first second in `low..=high` from which on `holds` is true.
fn first_where(
    low: DateTime<Utc>,
    high: DateTime<Utc>,
    holds: impl Fn(DateTime<Utc>) -> bool,
) -> Option<DateTime<Utc>> {
    let (mut low, mut high) = (low.timestamp(), high.timestamp());
    while low < high {
        let middle = low + (high - low) / 2;
        if holds(DateTime::from_timestamp(middle, 0)?) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    DateTime::from_timestamp(low, 0).filter(|time| holds(*time))
}

#[cfg(test)]
#[path = "expression_tests.rs"]
mod tests;
