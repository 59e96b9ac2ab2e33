//! Tests of the calendars of jobs.

use entity::calendar::Entries;
use serde_json::json;

use super::*;
use crate::engine::cron::fixtures::{at, spec};

fn known() -> [Arc<Calendar>; 2] {
    let of = |name, days: &[&str]| {
        let days = days.iter().map(|day| (*day).to_owned()).collect();
        Arc::new(Calendar::parse(name, "UTC", &Entries { days, ..Entries::default() }).unwrap())
    };
    [of("holidays", &["2026-12-25"]), of("bank days", &["2026-12-24", "2026-12-25"])]
}

#[test]
fn a_time_has_to_be_in_one_required_calendar_and_in_no_excluded_one() {
    let removal = |settings: serde_json::Value, day: &str| {
        Calendars::of(&spec("@daily", "UTC", settings), &known()).removal(at(&format!("{day}T10:00:00Z")))
    };
    let exclude = json!({EXCLUDE: ["holidays"]});
    assert_eq!(removal(exclude.clone(), "2026-12-24"), None);
    assert_eq!(removal(exclude, "2026-12-25").unwrap(), "the calendar holidays excludes it: 2026-12-25");
    let only = json!({ONLY: ["holidays", "bank days"]});
    assert_eq!((removal(only.clone(), "2026-12-24"), removal(only.clone(), "2026-12-25")), (None, None));
    assert!(removal(only, "2026-12-26").unwrap().ends_with("the calendar holidays or bank days"));
    let both = json!({ONLY: ["bank days"], EXCLUDE: ["holidays"]});
    assert_eq!(removal(both.clone(), "2026-12-24"), None);
    assert!(removal(both.clone(), "2026-12-25").is_some() && removal(both, "2026-12-26").is_some());
    // A required calendar that is gone contains nothing.
    assert!(removal(json!({ONLY: ["gone"]}), "2026-12-24").is_some());
    assert!(Calendars::of(&spec("@daily", "UTC", json!({})), &known()).is_empty());
}
