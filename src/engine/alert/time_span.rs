//! Pure: time spans as ISO 8601 writes them, such as PT5M.

/// The longest span, in seconds: a week.
const MOST: i64 = 7 * 86_400;

/// The seconds of a span in days, hours, minutes and seconds.
///
/// # Errors
/// A reason for the caller.
pub fn parse_span(text: &str) -> Result<i32, String> {
    let wrong = || "must be a time span such as PT0S, PT5M or PT1H30M, of at most P7D".to_owned();
    let (days, rest) = match text.strip_prefix('P').ok_or_else(wrong)?.split_once('T') {
        Some((days, rest)) => (days, Some(rest)),
        None => (text.strip_prefix('P').unwrap_or_default(), None),
    };
    if rest.is_some_and(str::is_empty) || (rest.is_none() && days.is_empty()) {
        return Err(wrong());
    }
    let seconds =
        units(days, &[('D', 86_400)]).zip(units(rest.unwrap_or_default(), &[('H', 3600), ('M', 60), ('S', 1)]));
    let seconds = seconds.and_then(|(days, rest)| days.checked_add(rest)).filter(|seconds| *seconds <= MOST);
    seconds.and_then(|seconds| i32::try_from(seconds).ok()).ok_or_else(wrong)
}

/// The sum of numbers with units, in the order of the units.
fn units(mut text: &str, of: &[(char, i64)]) -> Option<i64> {
    let mut sum: i64 = 0;
    for (unit, seconds) in of {
        if let Some((number, rest)) = text.split_once(*unit) {
            if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
                return None;
            }
            sum = sum.checked_add(number.parse::<i64>().ok()?.checked_mul(*seconds)?)?;
            text = rest;
        }
    }
    text.is_empty().then_some(sum)
}

/// The text of a span.
#[must_use]
pub fn span_text(seconds: i32) -> String {
    let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let part = |number: i32, unit: char| if number == 0 { String::new() } else { format!("{number}{unit}") };
    if seconds == 0 {
        return "PT0S".into();
    }
    format!("PT{}{}{}", part(hours, 'H'), part(minutes, 'M'), part(rest, 'S'))
}

#[cfg(test)]
mod tests {
    use super::{parse_span, span_text};

    #[test]
    fn spans_are_read_and_written() {
        for (text, seconds, written) in [
            ("PT0S", 0, "PT0S"),
            ("PT5M", 300, "PT5M"),
            ("PT90S", 90, "PT1M30S"),
            ("P1D", 86_400, "PT24H"),
            ("P1DT1H", 90_000, "PT25H"),
            ("PT1H30M", 5400, "PT1H30M"),
        ] {
            assert_eq!(parse_span(text), Ok(seconds), "{text}");
            assert_eq!(span_text(seconds), written);
            assert_eq!(parse_span(written), Ok(seconds));
        }
        for wrong in [
            "",
            "P",
            "PT",
            "5m",
            "PT5",
            "PTM",
            "PT-5M",
            "PT1M1H",
            "P8D",
            "PT99999999999999999999S",
            "P1DT",
            "PT1.5S",
            "P1M",
        ] {
            assert!(parse_span(wrong).is_err(), "{wrong}");
        }
    }
}
