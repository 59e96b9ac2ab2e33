//! Pure: jobs as lanes along a span of time: runs, skipped times, and planned times ahead.

use chrono::{DateTime, Utc};
use maud::{Markup, html};
use windlass_schedule::time_zone::Zone;

use super::lane::{Lane, LaneItem};
use super::scale::{TimeScale, number};
use super::shade::{Shade, mark, short};
use super::ticks::ticks;
use super::timeline_bars::{Placed, place};
use crate::console::format::zoned_short;

/// The most lanes of a picture.
pub const MOST_LANES: usize = 100;

const GUTTER: f64 = 200.0;
const HEADER: f64 = 28.0;
const ROW: f64 = 26.0;
/// Where bars are in a row, how high they are, and the smallest width.
const BAR: (f64, f64, f64) = (3.0, 14.0, 3.0);
/// The same for skipped times, which are below the bars: the run because of which a time was skipped is there at the same moment.
const SKIP: (f64, f64, f64) = (18.0, 7.0, 6.0);
const NAME: usize = 28;

/// What is shown.
#[derive(Clone, Debug)]
pub struct Timeline {
    pub from: DateTime<Utc>,
    pub until: DateTime<Utc>,
    pub now: DateTime<Utc>,
    /// The zone of the axis and of the titles.
    pub zone: Zone,
    /// The first `MOST_LANES` are drawn.
    pub lanes: Vec<Lane>,
}

/// The picture, `width` pixels wide.
#[must_use]
pub fn timeline(shown: &Timeline, width: u32) -> Markup {
    let lanes = shown.lanes.get(..MOST_LANES).unwrap_or(&shown.lanes);
    let width = f64::from(width.max(500));
    let scale = TimeScale { from: shown.from, until: shown.until, left: GUTTER, width: width - GUTTER - 4.0 };
    let height = HEADER + number(lanes.len()) * ROW;
    let placed = place(lanes.iter().map(|lane| lane.items.as_slice()), &scale);
    html! {
        svg.timeline role="group" width=(short(width)) height=(short(height)) viewBox={ "0 0 " (short(width)) " " (short(height)) } aria-label=(label(shown)) {
            text.axis x="0" y="14" { title { "Time zone" } (shown.zone.name()) }
            @for tick in ticks(shown.from, shown.until, shown.zone) {
                @let x = short(scale.x(tick.at));
                line.grid.day[tick.is_day] x1=(x) x2=(x) y1=(HEADER - 6.0) y2=(short(height)) {}
                text.axis.day[tick.is_day] x=(x) y="14" text-anchor="middle" { (tick.text) }
            }
            @for ((place, lane), marks) in lanes.iter().enumerate().zip(&placed) {
                @let top = HEADER + number(place) * ROW;
                line.lane x1="0" x2=(short(width)) y1=(short(top + ROW)) y2=(short(top + ROW)) {}
                a href=(lane.href) { title { (lane.name) } text.name x="0" y=(short(top + 17.0)) { (cut(&lane.name)) } }
                @for found in marks { (bar(found, top, shown.zone)) }
            }
            @if scale.contains(shown.now) {
                @let x = short(scale.x(shown.now));
                line.now x1=(x) x2=(x) y1=(HEADER - 8.0) y2=(short(height)) { title { "now" } }
            }
        }
    }
}

fn bar(found: &Placed<'_>, top: f64, zone: Zone) -> Markup {
    let (below, height, thinnest) = if found.shade == Shade::Skipped { SKIP } else { BAR };
    let width = (found.right - found.left).max(thinnest);
    let shape = mark(found.shade, (found.left, top + below), (width, height));
    html! {
        @match (&found.first.href, found.count) {
            (Some(href), 1) => { a href=(href) tabindex="-1" { title { (found.first.title) } (shape) } }
            (None, 1) => { g { title { (found.first.title) } (shape) } }
            _ => { g { title { (several(found, zone)) } (shape) } }
        }
    }
}

fn several(found: &Placed<'_>, zone: Zone) -> String {
    let (from, until) = (zoned_short(found.from, zone), zoned_short(found.until, zone));
    format!("{} {}, {from} to {until}", found.count, found.shade.label())
}

fn cut(name: &str) -> String {
    let mut cut: String = name.chars().take(NAME).collect();
    if cut.len() < name.len() {
        cut.pop();
        cut.push('…');
    }
    cut
}

fn label(shown: &Timeline) -> String {
    let (from, until) = (zoned_short(shown.from, shown.zone), zoned_short(shown.until, shown.zone));
    format!("Timeline of {} jobs, {from} to {until}; the table below has the same", shown.lanes.len())
}

/// The same as a table: how many runs each job had, by outcome, and what comes next.
#[must_use]
pub fn table(shown: &Timeline) -> Markup {
    let inside = |item: &&LaneItem| item.from < shown.until && item.until >= shown.from;
    let count = |lane: &Lane, shade: Shade| lane.items.iter().filter(inside).filter(|item| item.shade == shade).count();
    html! {
        table {
            caption { "Runs and times by job" }
            thead {
                tr {
                    th scope="col" { "Job" }
                    @for shade in Shade::ALL { th.number scope="col" { (shade.label()) } }
                    th scope="col" { "next time" }
                }
            }
            tbody {
                @for lane in &shown.lanes {
                    @let next = lane.items.iter().filter(|item| item.shade == Shade::Planned).map(|item| item.from).min();
                    tr {
                        th scope="row" { a href=(lane.href) { (lane.name) } }
                        @for shade in Shade::ALL { td.number { (count(lane, shade)) } }
                        td { @if let Some(next) = next { (zoned_short(next, shown.zone)) } }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
#[path = "timeline_tests.rs"]
mod tests;
