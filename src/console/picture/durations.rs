//! Pure: the durations of the newest runs of a job as a chart, with the median, the 95th percentile and the time limit.

use std::cmp::Ordering;

use maud::{Markup, html};

use super::scale::{millis, number, round_up};
use super::shade::{Shade, mark, short};
use crate::console::format::duration;

const LEFT: f64 = 64.0;
const RIGHT: f64 = 84.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 8.0;
const STEP: f64 = 7.0;
const BAR: f64 = 5.0;
const HEIGHT: f64 = 160.0;
/// The height of a label.
const LABEL: f64 = 13.0;
/// So that the lines of a job with few runs are seen.
const FEWEST: usize = 40;

/// A run.
#[derive(Clone, Debug)]
pub struct DurationBar {
    pub shade: Shade,
    pub milliseconds: u64,
    /// What the bar stands for, in words.
    pub title: String,
    pub href: String,
}

/// What the durations are compared with, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DurationLines {
    pub p50: Option<u64>,
    pub p95: Option<u64>,
    pub limit: Option<u64>,
}

/// The chart, oldest run first.
#[must_use]
pub fn durations(bars: &[DurationBar], lines: DurationLines) -> Markup {
    let longest = bars.iter().map(|bar| bar.milliseconds).max().unwrap_or(0).max(lines.p95.unwrap_or(0));
    // A limit far above all durations would make them unreadable.
    let limit = lines.limit.filter(|limit| *limit <= longest.saturating_mul(4));
    let top = round_up(longest.max(limit.unwrap_or(0)));
    let inner = number(bars.len().max(FEWEST)) * STEP;
    let (width, height) = (LEFT + inner + RIGHT, TOP + HEIGHT + BOTTOM);
    let y = |milliseconds: u64| TOP + HEIGHT * (1.0 - millis(milliseconds) / millis(top));
    let named = [("p50", lines.p50), ("p95", lines.p95), ("limit", limit)];
    let named: Vec<(&str, u64)> = named.into_iter().filter_map(|(name, at)| Some((name, at?))).collect();
    let labels = apart(&named.iter().map(|(_, at)| y(*at) + 4.0).collect::<Vec<_>>());
    let line = |name: &str, at: u64, label: f64| {
        html! {
            line.(name) x1=(LEFT) x2=(short(LEFT + inner)) y1=(short(y(at))) y2=(short(y(at))) {}
            text.(name) x=(short(LEFT + inner + 4.0)) y=(short(label)) { (name) " " (duration(at)) }
        }
    };
    html! {
        svg.durations role="group" width=(short(width)) height=(short(height)) viewBox={ "0 0 " (short(width)) " " (short(height)) } aria-label=(label(bars, lines)) {
            @for value in [0, top / 2, top] {
                line.grid x1=(LEFT) x2=(short(LEFT + inner)) y1=(short(y(value))) y2=(short(y(value))) {}
                text.axis x=(LEFT - 6.0) y=(short(y(value) + 4.0)) text-anchor="end" { (duration(value)) }
            }
            @for (place, bar) in bars.iter().enumerate() {
                @let upper = y(bar.milliseconds).min(TOP + HEIGHT - 2.0);
                a href=(bar.href) tabindex="-1" {
                    title { (bar.title) }
                    (mark(bar.shade, (LEFT + number(place) * STEP, upper), (BAR, TOP + HEIGHT - upper)))
                }
            }
            @for ((name, at), label) in named.iter().zip(labels) { (line(name, *at, label)) }
        }
    }
}

/// The places of labels, moved up where one would cover the one before it.
fn apart(places: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..places.len()).collect();
    order.sort_by(|one, other| places.get(*other).partial_cmp(&places.get(*one)).unwrap_or(Ordering::Equal));
    let mut moved = places.to_vec();
    let mut highest = f64::INFINITY;
    for place in order {
        if let Some(label) = moved.get_mut(place) {
            *label = label.min(highest - LABEL);
            highest = *label;
        }
    }
    moved
}

fn label(bars: &[DurationBar], lines: DurationLines) -> String {
    let part =
        |name: &str, value: Option<u64>| value.map(|value| format!(", {name} {}", duration(value))).unwrap_or_default();
    format!(
        "Durations of the last {} runs{}{}{}",
        bars.len(),
        part("median", lines.p50),
        part("95th percentile", lines.p95),
        part("time limit", lines.limit)
    )
}

/// The same durations as a table, newest first.
#[must_use]
pub fn table(bars: &[DurationBar]) -> Markup {
    html! {
        table {
            caption { "Durations" }
            thead { tr { th scope="col" { "Run" } th scope="col" { "Outcome" } th.number scope="col" { "Duration" } } }
            tbody {
                @for bar in bars.iter().rev() {
                    tr {
                        td { a href=(bar.href) { (bar.title) } }
                        td { span.state.(bar.shade.class()) { (bar.shade.label()) } }
                        td.number { (duration(bar.milliseconds)) }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chart_has_its_lines_and_a_table() {
        let bars: Vec<DurationBar> = (1..=100)
            .map(|number| DurationBar {
                shade: if number % 10 == 0 { Shade::Failed } else { Shade::Ok },
                milliseconds: number * 1000,
                title: format!("#{number} </title><script>"),
                href: format!("/run/{number}"),
            })
            .collect();
        let lines = DurationLines { p50: Some(50_000), p95: Some(95_000), limit: Some(110_000) };
        let markup = durations(&bars, lines).into_string();
        assert!(
            markup
                .contains("Durations of the last 100 runs, median 50 s, 95th percentile 1 m 35 s, time limit 1 m 50 s")
        );
        assert_eq!(markup.matches("<a ").count(), 100);
        assert!(markup.contains("p95 1 m 35 s") && markup.contains("limit 1 m 50 s") && !markup.contains("<script>"));
        assert!(!markup.contains("NaN") && !markup.contains("inf") && !markup.contains("style="));
        let far = durations(&bars, DurationLines { limit: Some(10_000_000), ..lines }).into_string();
        assert!(!far.contains("class=\"limit\""), "a limit far above is only in the label");
        assert_eq!(table(&bars).into_string().matches("<tr>").count(), 101);
        assert!(!durations(&[], DurationLines::default()).into_string().contains("NaN"));
    }

    #[test]
    fn labels_do_not_cover_each_other() {
        assert_eq!(apart(&[100.0, 98.0, 20.0]), [100.0, 87.0, 20.0]);
        assert_eq!(apart(&[100.0, 100.0, 99.0]), [100.0, 87.0, 74.0]);
        assert_eq!(apart(&[100.0, 40.0]), [100.0, 40.0]);
    }
}
