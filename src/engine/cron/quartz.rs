//! Pure: expressions in the dialect of Quartz.

use super::error::ParseError;
use super::expression::CronExpression;

/// Parses a Quartz expression: seconds first, an optional year last, `?` in a day field, and 1 for Sunday. An
/// expression with five fields is parsed as an ordinary one.
///
/// # Errors
/// If the expression is invalid, its seconds are not 0, or its years are restricted.
pub fn from_quartz(text: &str) -> Result<CronExpression, ParseError> {
    let fields: Vec<&str> = text.split_whitespace().collect();
    let (seconds, rest) = match fields.as_slice() {
        [seconds, rest @ ..] if rest.len() == 5 || rest.len() == 6 => (*seconds, rest),
        _ => return text.parse(),
    };
    if seconds != "0" && seconds != "00" {
        return Err(ParseError(format!(
            "the seconds of {text:?} must be 0: schedules have a resolution of one minute"
        )));
    }
    let [minutes, hours, days, months, weekdays, years @ ..] = rest else { return text.parse() };
    if years.iter().any(|years| *years != "*" && *years != "?") {
        return Err(ParseError(format!("the years of {text:?} must be *: a schedule cannot be limited to years")));
    }
    // Quartz numbers the days of the week from 1; steps and names are the same.
    let day = |part: &str| match part.parse::<u32>() {
        Ok(number @ 1..=7) => Ok((number - 1).to_string()),
        Ok(number) => Err(ParseError(format!("{number} is not a day of the week: use 1 (Sunday) to 7 (Saturday)"))),
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

#[cfg(test)]
mod tests {
    #[test]
    fn expressions_of_quartz() {
        for (quartz, usual) in [
            ("0 0 * * * ?", "0 * * * *"),
            ("0 30 2 ? * 2-6", "30 2 * * 1-5"),
            ("0 0 12 ? * MON,FRI *", "0 12 * * MON,FRI"),
            ("00 */5 * * * ? *", "*/5 * * * *"),
            ("0 0 0 ? * 1", "0 0 * * 0"),
            ("15 3 * * 1", "15 3 * * 1"),
        ] {
            assert_eq!(super::from_quartz(quartz).unwrap(), usual.parse().unwrap(), "{quartz}");
        }
        for refused in ["30 0 * * * ?", "0 0 * * * ? 2027", "0 0 0 ? * 8", "0 0 0 ? * 0", "0 0 0 L * ?", "0 0", ""] {
            assert!(super::from_quartz(refused).is_err(), "{refused}");
        }
    }
}
