//! Pure: the day fields of a dialect, with days that are counted from the end of a month or within it.

use super::rules::{DayRule, Lists, Quirk, Star, WeekLast};
use super::translation::Refusal;
use super::values::{DAY, Field, Reading, WEEKDAY, number};

/// The days that a field selects.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Days {
    /// As bits; the first day of a week is Sunday, which is 0.
    pub(crate) values: u64,
    /// Days that are counted, in our forms.
    pub(crate) counted: Vec<String>,
}

pub(crate) const ALL_DAYS: u64 = 0xffff_fffe;
pub(crate) const ALL_WEEKDAYS: u64 = 0x7f;

/// Which days match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Matching {
    /// Those that both fields match.
    Both(Days, Days),
    /// Those that either field matches.
    Either(Days, Days),
}

impl Reading<'_> {
    /// The days that match.
    pub(crate) fn days(&mut self, day: &str, weekday: &str) -> Result<Matching, Refusal> {
        let (days, weekdays) = (self.days_of_month(day)?, self.days_of_week(weekday)?);
        let all_days = days.values & ALL_DAYS == ALL_DAYS;
        let all_weekdays = weekdays.values & ALL_WEEKDAYS == ALL_WEEKDAYS;
        let both = format!("{day} and {weekday}");
        match self.rules.days {
            DayRule::And => Ok(Matching::Both(days, weekdays)),
            _ if all_days && all_weekdays => Ok(Matching::Both(days, weekdays)),
            DayRule::Single if is_star(day, Star::Exact) || is_star(weekday, Star::Exact) => {
                Ok(Matching::Both(days, weekdays))
            }
            DayRule::Single => {
                Err(self.refuse(&both, "day of month and day of week cannot both be given in this dialect"))
            }
            DayRule::Or(star) if is_star(day, star) || is_star(weekday, star) => Ok(Matching::Both(days, weekdays)),
            DayRule::Or(Star::Values) if all_days || all_weekdays => Ok(Matching::Both(days, weekdays)),
            DayRule::Or(_) => Ok(Matching::Either(days, weekdays)),
            DayRule::OrUnlessStarred if is_star(day, Star::Exact) || is_star(weekday, Star::Exact) => {
                Ok(Matching::Both(days, weekdays))
            }
            DayRule::OrUnlessStarred if day.starts_with('*') || weekday.starts_with('*') => {
                Err(self
                    .refuse(&both, "what a day field that begins with a star means beside the other one is not known"))
            }
            DayRule::OrUnlessStarred => Ok(Matching::Either(days, weekdays)),
            DayRule::Broken if is_star(day, Star::Exact) || is_star(weekday, Star::Exact) => {
                Ok(Matching::Both(days, weekdays))
            }
            DayRule::Broken => Err(self.refuse(&both, "what the program makes of both days together is not a rule")),
        }
    }

    fn days_of_month(&mut self, text: &str) -> Result<Days, Refusal> {
        self.list(text, Self::counted_day, DAY)
    }

    fn days_of_week(&mut self, text: &str) -> Result<Days, Refusal> {
        let mut found = self.list(text, Self::counted_weekday, WEEKDAY)?;
        found.values = self.week_from_sunday(found.values);
        Ok(found)
    }

    /// A list of values and days that are counted.
    fn list(
        &mut self,
        text: &str,
        counted: fn(&Self, &str) -> Result<Option<Days>, Refusal>,
        field: Field,
    ) -> Result<Days, Refusal> {
        let mut found = Days::default();
        let mut plain = Vec::new();
        for part in text.split(',') {
            match counted(self, part)? {
                None => plain.push(part),
                Some(_) if part != text && !self.lists(field) => {
                    return Err(self.refuse(text, "what days that are counted mean in a list here is not known"));
                }
                Some(days) => {
                    found.values |= days.values;
                    found.counted.extend(days.counted);
                }
            }
        }
        if !plain.is_empty() {
            found.values |= self.values(&plain.join(","), field)?;
        }
        Ok(found)
    }

    /// Whether lists of a field may contain days that are counted.
    fn lists(&self, field: Field) -> bool {
        match self.rules.counted.lists {
            Lists::None => false,
            Lists::OfMonthDays => field.name == DAY.name,
            Lists::All => true,
        }
    }

    fn counted_day(&self, part: &str) -> Result<Option<Days>, Refusal> {
        let counted = self.rules.counted;
        let form = part.to_ascii_uppercase();
        if part == "last" && self.dialect == "apscheduler" {
            return Ok(Some(Days { values: 0, counted: vec!["L".into()] }));
        }
        let distance = form.strip_prefix("L-").map(|rest| rest.strip_suffix('W').unwrap_or(rest));
        let allowed = match form.as_str() {
            "L" => counted.last,
            "LW" => counted.last_weekday,
            other if distance.is_some_and(|distance| number(distance).is_some()) => {
                counted.before_last && (counted.nearest || !other.ends_with('W'))
            }
            other if other.ends_with('W') && number(other.trim_end_matches('W')).is_some() => counted.nearest,
            _ if form.contains(['L', 'W']) => false,
            _ => return Ok(None),
        };
        if allowed {
            return Ok(Some(Days { values: 0, counted: vec![form] }));
        }
        Err(self.refuse(
            part,
            "this form of a day of the month is not in the dialect, or its days are not those of any rule",
        ))
    }

    fn counted_weekday(&self, part: &str) -> Result<Option<Days>, Refusal> {
        let counted = self.rules.counted;
        let upper = part.to_ascii_uppercase();
        if upper == "L" {
            return match counted.week_last {
                // As the dialect counts.
                WeekLast::Saturday => Ok(Some(Days { values: 1 << 7, counted: Vec::new() })),
                WeekLast::LastSaturday => Ok(Some(Days { values: 0, counted: vec!["6L".into()] })),
                WeekLast::Refused => Err(self.refuse(part, "L alone is not a day of the week in this dialect")),
            };
        }
        let is_day = |day: &str| self.value(day, part, WEEKDAY).is_ok();
        let form = match (upper.strip_suffix('L'), upper.strip_prefix('L'), upper.split_once('#')) {
            (Some(day), _, _) if is_day(day) => (day, "L".to_owned(), counted.last_named),
            (_, Some(day), _) if is_day(day) => (day, "L".to_owned(), counted.last_before_name),
            (_, _, Some((day, nth))) => (day, format!("#{nth}"), counted.nth),
            _ => return Ok(None),
        };
        let (day, ending, allowed) = form;
        if !allowed {
            return Err(self.refuse(
                part,
                "this form of a day of the week is not in the dialect, or its days are not those of any rule",
            ));
        }
        let nth = ending.strip_prefix('#').map(number);
        if nth.is_some_and(|nth| !nth.is_some_and(|nth| (1..=5).contains(&nth))) {
            return Err(self.refuse(part, "the number after # must be 1 to 5"));
        }
        let day = self.counted_from_sunday(self.value(day, part, WEEKDAY)?);
        Ok(Some(Days { values: 0, counted: vec![format!("{day}{ending}")] }))
    }

    /// Refuses what the program gets wrong.
    pub(crate) fn check_quirks(
        &self,
        [day, month, weekday]: [&str; 3],
        matching: &Matching,
        months: u64,
    ) -> Result<(), Refusal> {
        let (Matching::Both(days, weekdays) | Matching::Either(days, weekdays)) = matching;
        let both = format!("{day} and {weekday}");
        let is_counted = !days.counted.is_empty() || !weekdays.counted.is_empty();
        if self.rules.counted.alone && is_counted && day != "*" && weekday != "*" {
            return Err(self.refuse(&both, "days that are counted need a star in the other field"));
        }
        let all_weekdays = weekdays.values & ALL_WEEKDAYS == ALL_WEEKDAYS;
        let all_days = days.values & ALL_DAYS == ALL_DAYS;
        if self.rules.counted.alone && all_days && !is_star(day, Star::Listed) && weekday != "*" {
            return Err(self.refuse(day, "what all days of the month mean beside a day of the week here is not known"));
        }
        if self.rules.counted.alone && all_weekdays && weekday != "*" && day != "*" {
            return Err(
                self.refuse(weekday, "what all days of the week mean beside a day of the month here is not known")
            );
        }
        if self.rules.quirk != Quirk::DaysRunOver {
            return Ok(());
        }
        let longest = (1..=12).filter(|month| months >> month & 1 == 1).map(shortest).min().unwrap_or(31);
        let beyond = (longest + 1..=31).any(|number| days.values >> number & 1 == 1);
        if beyond && days.values & ALL_DAYS != ALL_DAYS {
            return Err(
                self.refuse(day, "the program moves a day that a month does not have into the next month, or fails")
            );
        }
        if month != "*" && !all_weekdays {
            return Err(
                self.refuse(&format!("{month} and {weekday}"), "the program loses days at the beginning of months")
            );
        }
        Ok(())
    }
}

/// The fewest days of a month.
fn shortest(month: u32) -> u32 {
    match month {
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn is_star(text: &str, star: Star) -> bool {
    match star {
        Star::Exact | Star::Values => text == "*" || text == "?",
        Star::Prefix => text.starts_with('*') || text == "?",
        Star::Listed => text.split(',').any(|part| matches!(part, "*" | "?")),
        Star::Part => text.split(',').any(|part| matches!(part, "*" | "?" | "*/1" | "?/1")),
    }
}
