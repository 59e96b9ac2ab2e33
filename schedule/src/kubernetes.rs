//! Pure: expressions as a Kubernetes CronJob accepts them.

use super::error::ParseError;
use super::expression::CronExpression;

impl CronExpression {
    /// An expression in the form that Kubernetes accepts, in which 7 is not a day of the week. If the weekdays contain a star, they
    /// remain a star, because the day of the month then decides.
    ///
    /// # Errors
    /// If the expression is invalid.
    pub fn for_kubernetes(text: &str) -> Result<String, ParseError> {
        let schedule: Self = text.parse()?;
        let fields: Vec<&str> = text.split_whitespace().collect();
        let [minutes, hours, days, months, weekdays] = fields.as_slice() else { return Ok(text.trim().to_owned()) };
        let weekdays = match weekdays.contains('7') {
            true if schedule.weekdays.star => "*".to_owned(),
            true => {
                let listed = (0..7).filter(|day| schedule.weekdays.bits >> day & 1 == 1);
                listed.map(|day: u32| day.to_string()).collect::<Vec<_>>().join(",")
            }
            false => (*weekdays).to_owned(),
        };
        Ok(format!("{minutes} {hours} {days} {months} {weekdays}"))
    }
}

#[cfg(test)]
mod tests {
    use super::CronExpression;

    #[test]
    fn expressions_are_those_of_kubernetes() {
        for (given, expected) in [
            ("0 3 * * 7", "0 3 * * 0"),
            ("0 3 * * 5-7", "0 3 * * 0,5,6"),
            ("0 3 * * 1-5", "0 3 * * 1-5"),
            ("0 3 1 * *,7", "0 3 1 * *"),
            ("0 3 1 * 7,?", "0 3 1 * *"),
            ("0 3 1 * 0-7", "0 3 1 * 0,1,2,3,4,5,6"),
            ("0 3 1 * */7", "0 3 1 * 0"),
            ("*/7 7 7 7 *", "*/7 7 7 7 *"),
            ("  0  3 * *  mon ", "0 3 * * mon"),
            ("@daily", "@daily"),
        ] {
            assert_eq!(CronExpression::for_kubernetes(given).unwrap(), expected, "{given}");
        }
        assert!(CronExpression::for_kubernetes("0 3 * * 8").is_err());
    }
}
