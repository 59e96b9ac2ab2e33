//! Pure: fields as text of our language.

use super::days::{ALL_DAYS, ALL_WEEKDAYS, Days, Matching};

/// The fields of an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fields {
    pub(crate) minutes: u64,
    pub(crate) hours: u64,
    pub(crate) months: u64,
    pub(crate) days: Matching,
}

impl Fields {
    /// The text of the expression, and whether both days have to match.
    pub(crate) fn text(&self) -> (String, bool) {
        let (day, weekday, both) = match &self.days {
            Matching::Both(days, weekdays) => {
                let (day, weekday) = (month_text(days), week_text(weekdays));
                let both = day != "*" && weekday != "*";
                (day, weekday, both)
            }
            Matching::Either(days, weekdays) => {
                let (day, weekday) = (month_text(days), week_text(weekdays));
                if day == "*" || weekday == "*" { ("*".into(), "*".into(), false) } else { (day, weekday, false) }
            }
        };
        let time = format!("{} {}", listed(self.minutes, 0, 59), listed(self.hours, 0, 23));
        (format!("{time} {day} {} {weekday}", listed(self.months, 1, 12)), both)
    }
}

fn month_text(days: &Days) -> String {
    with_counted(listed(days.values & ALL_DAYS, 1, 31), days)
}

fn week_text(days: &Days) -> String {
    with_counted(listed(days.values & ALL_WEEKDAYS, 0, 6), days)
}

fn with_counted(plain: String, days: &Days) -> String {
    let parts: Vec<&str> = Some(plain.as_str()).filter(|plain| !plain.is_empty()).into_iter().collect();
    parts.into_iter().chain(days.counted.iter().map(String::as_str)).collect::<Vec<_>>().join(",")
}

/// Values as a list: a star, a step, or numbers and ranges.
pub(crate) fn listed(bits: u64, low: u32, high: u32) -> String {
    let values: Vec<u32> = (low..=high).filter(|value| bits >> value & 1 == 1).collect();
    if u32::try_from(values.len()) == Ok(high - low + 1) {
        return "*".into();
    }
    if let [first, second, _, .., last] = values.as_slice() {
        let step = second - first;
        let is_even = values.windows(2).all(|pair| matches!(pair, [a, b] if b - a == step));
        if is_even && step > 1 {
            let to_end = last + step > high;
            return if *first == low && to_end { format!("*/{step}") } else { format!("{first}-{last}/{step}") };
        }
    }
    let runs = values.chunk_by(|a, b| a + 1 == *b).flat_map(|run| match run {
        [first, _, .., last] => vec![format!("{first}-{last}")],
        run => run.iter().map(u32::to_string).collect(),
    });
    runs.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::listed;

    #[test]
    fn values_are_listed_briefly() {
        for (values, text) in [
            (vec![0, 15, 30, 45], "*/15"),
            (vec![5, 20, 35, 50], "5-50/15"),
            (vec![0, 1, 2, 3], "0-3"),
            (vec![0, 30], "0,30"),
            (vec![1, 2, 3, 10, 20, 21], "1-3,10,20,21"),
            ((0..60).collect(), "*"),
            (vec![7], "7"),
            (vec![], ""),
        ] {
            let bits = values.iter().fold(0, |bits, value| bits | 1 << value);
            assert_eq!(listed(bits, 0, 59), text);
        }
    }
}
