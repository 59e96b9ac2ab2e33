//! Properties of reading expressions: no text is a panic, and what is accepted has a next time.

use std::str::FromStr as _;

use chrono::{TimeDelta, Timelike as _};
use proptest::prelude::{ProptestConfig, Strategy, prop_assert, prop_assert_eq, prop_oneof, proptest};

use super::expression::CronExpression;
use super::fixtures::at;
use super::gap::parse_timezone;
use super::quartz::from_quartz;

/// A field, most of which are valid.
fn field() -> impl Strategy<Value = String> {
    prop_oneof![
        5 => "[*?]",
        5 => "[0-9]{1,2}",
        3 => "[*0-9]{1,2}/[0-9]{1,2}",
        3 => "[0-9]{1,2}-[0-9]{1,2}(/[0-9])?",
        2 => "[0-9]{1,2}(,[0-9]{1,2}){1,3}",
        1 => "(MON|tue|sunday|JAN|feb)(-(FRI|DEC))?",
        1 => "[-*/,?0-9A-Z]{0,8}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_is_a_panic(text in prop_oneof![".{0,40}", "@[a-z0-9 ]{0,12}", "[-*/,?@0-9A-Za-z ]{0,40}"]) {
        let _either = (CronExpression::from_str(&text), from_quartz(&text), parse_timezone(&text));
    }

    #[test]
    fn what_is_accepted_fires(fields in proptest::collection::vec(field(), 5), zone in "(UTC|Europe/Berlin|America/New_York)") {
        let text = fields.join(" ");
        // A day that no month has is accepted, with a warning.
        if let Some(expression) = CronExpression::from_str(&text).ok().filter(CronExpression::can_fire) {
            let (after, zone) = (at("2026-03-01T00:30:00Z"), parse_timezone(&zone).unwrap());
            let next = expression.next(after, &zone);
            prop_assert!(next.is_some_and(|next| after < next && next - after < TimeDelta::days(366 * 8 + 1)), "{text}: {next:?}");
            prop_assert_eq!(next.map(|next| (next.second(), next.nanosecond())), Some((0, 0)));
            // Surrounding white space and the case of names make no difference.
            prop_assert_eq!(CronExpression::from_str(&format!(" {} ", text.to_lowercase())), Ok(expression));
        }
    }
}
