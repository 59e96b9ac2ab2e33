//! Pure: how far apart the times of an expression are, by the wall clock.

use super::expression::CronExpression;

const MINUTES_A_DAY: u32 = 24 * 60;

/// The distances between neighboring times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spacing {
    /// All distances are the same.
    Even,
    Uneven {
        /// No two times are closer.
        shortest_minutes: u32,
    },
}

impl CronExpression {
    /// How far apart the times of a day and of neighboring days are.
    #[must_use]
    pub fn spacing(&self) -> Spacing {
        let times: Vec<u32> =
            (0..MINUTES_A_DAY).filter(|minute| self.hours.has(minute / 60) && self.minutes.has(minute % 60)).collect();
        let next_day = times.first().map(|first| first + MINUTES_A_DAY);
        let following = times.iter().copied().skip(1).chain(next_day);
        let distances: Vec<u32> = times.iter().zip(following).map(|(time, next)| next - time).collect();
        let shortest_minutes = distances.iter().copied().min().unwrap_or(MINUTES_A_DAY);
        let same = distances.iter().all(|distance| *distance == shortest_minutes);
        if same && self.is_daily() || times.len() == 1 && self.is_weekly() {
            Spacing::Even
        } else {
            Spacing::Uneven { shortest_minutes }
        }
    }

    /// Whether every day matches.
    #[must_use]
    pub fn is_daily(&self) -> bool {
        let (days, weekdays) = self.full_days();
        self.every_month() && if self.days.star || self.weekdays.star { days && weekdays } else { days || weekdays }
    }

    /// Whether the days that match are all those with one name.
    fn is_weekly(&self) -> bool {
        let (days, _) = self.full_days();
        self.every_month() && self.days.star && days && self.weekdays.bits.count_ones() == 1
    }

    fn every_month(&self) -> bool {
        (1..=12).all(|month| self.months.has(month))
    }

    /// Whether each of the two day fields has all values.
    fn full_days(&self) -> (bool, bool) {
        ((1..=31).all(|day| self.days.has(day)), (0..=6).all(|day| self.weekdays.has(day)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::schedule;
    use super::Spacing;

    #[test]
    fn spacing_of_expressions() {
        for even in [
            "* * * * *",
            "*/5 * * * *",
            "7,37 * * * *",
            "0 * * * *",
            "15 */6 * * *",
            "0 9 * * *",
            "@daily",
            "@weekly",
            "0 9 * * 1",
            "0 9 ? * FRI",
            "0 9 */1 * 0-6",
            "0 9 1-31 * 1-5",
            "0 9,21 * 1-12 *",
        ] {
            assert_eq!(schedule(even).spacing(), Spacing::Even, "{even}");
        }
        for (uneven, shortest_minutes) in [
            ("*/7 * * * *", 4),
            ("0,30 9 * * *", 30),
            ("0 9 * * 1-5", 1440),
            ("0 9 * * 1,4", 1440),
            ("0 9,21 * * 1", 720),
            ("0 */5 * * *", 240),
            ("59 23 * 1 *", 1440),
            ("0 0 1 * *", 1440),
            ("0 0 */2 * *", 1440),
            ("0 3 1 * *,7", 1440),
            ("0 0 29 2 *", 1440),
            ("0,59 * * * 1", 1),
        ] {
            assert_eq!(schedule(uneven).spacing(), Spacing::Uneven { shortest_minutes }, "{uneven}");
        }
    }
}
