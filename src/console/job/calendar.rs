//! A month as a table whose days are links.

use chrono::{Datelike as _, Days, Months, NaiveDate};
use maud::{Markup, html};

/// The month of a day. `path` is the address without its query.
pub(super) fn month(path: &str, day: NaiveDate, today: NaiveDate) -> Markup {
    let first = day.with_day(1).unwrap_or(day);
    let start = first.checked_sub_days(Days::new(u64::from(first.weekday().num_days_from_monday()))).unwrap_or(first);
    let days: Vec<NaiveDate> = start.iter_days().take(42).collect();
    let other = |month: Option<NaiveDate>| month.map(|month| format!("{path}?day={month}"));
    let weeks = days.chunks(7).filter(|week| week.iter().any(|day| day.month() == first.month()));
    html! {
        table.calendar {
            caption { (first.format("%B %Y")) }
            thead { tr { @for name in ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"] { th scope="col" { (name) } } } }
            tbody {
                @for week in weeks {
                    tr {
                        @for one in week {
                            td class=[(*one == today).then_some("today")] {
                                @if one.month() == first.month() {
                                    a href={ (path) "?day=" (one) } aria-current=[(*one == day).then_some("date")]
                                        aria-label=(one.format("%-d %B %Y")) { (one.day()) }
                                }
                            }
                        }
                    }
                }
            }
        }
        nav.pages aria-label="Months" {
            @if let Some(path) = other(first.checked_sub_months(Months::new(1))) { a rel="prev" href=(path) { "Month before" } }
            @if let Some(path) = other(first.checked_add_months(Months::new(1))) { a rel="next" href=(path) { "Month after" } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_has_its_days_once() {
        let day = NaiveDate::from_ymd_opt(2026, 2, 10).unwrap();
        let text = month("/x", day, day).into_string();
        assert_eq!(text.matches("?day=2026-02-").count(), 28);
        assert!(text.contains("February 2026") && text.contains("?day=2026-01-01") && text.contains("?day=2026-03-01"));
        assert!(text.contains("aria-current=\"date\"") && text.contains("class=\"today\""));
    }
}
