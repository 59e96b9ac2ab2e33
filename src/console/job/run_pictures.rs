//! The last runs of a job as pictures, and in numbers.

use chrono::{DateTime, Utc};
use entity::job_spec::JobSpec;
use entity::run::{Model, RunState};
use maud::{Markup, html};
use windlass_schedule::time_zone::Zone;

use crate::console::paths;
use crate::console::picture::durations::{self, DurationBar, DurationLines, durations};
use crate::console::picture::strip::{StripBar, strip};
use crate::console::picture::{Shade, shade};
use crate::console::run::{run_summary, taken};

/// How many of the newest runs failed one after the other. `runs` are in order, newest first.
pub(super) fn failures_in_a_row(runs: &[Model]) -> usize {
    let ended = runs.iter().filter(|run| run.state.is_final() && run.state != RunState::Cancelled);
    ended.take_while(|run| run.state == RunState::Failed).count()
}

/// The pictures. `runs` are in order, newest first.
pub(super) fn pictures(name: &str, spec: &JobSpec, runs: &[Model], now: DateTime<Utc>, zone: Option<Zone>) -> Markup {
    let bars: Vec<_> = runs.iter().rev().map(|run| bar(run, now, zone)).collect();
    let timed: Vec<_> = runs
        .iter()
        .rev()
        .filter_map(|run| {
            let (milliseconds, shade) = (taken(run, now)?, Shade::of(run.state));
            Some(DurationBar { shade, milliseconds, title: run_summary(run, zone, now), href: paths::run(run.id) })
        })
        .collect();
    let mut ended: Vec<u64> =
        runs.iter().filter(|run| run.state == RunState::Succeeded).filter_map(|run| taken(run, now)).collect();
    ended.sort_unstable();
    let limit = u64::try_from(spec.max_duration_seconds).ok().filter(|limit| *limit > 0).map(|limit| limit * 1000);
    let lines = DurationLines { p50: quantile(&ended, 50), p95: quantile(&ended, 95), limit };
    html! {
        @if bars.is_empty() { p.soft { "This job has not run yet." } }
        @else {
            (strip(&bars, name))
            @if !timed.is_empty() {
                h3 { "Durations" }
                div.scroll { (durations(&timed, lines)) }
                (shade::legend(&Shade::ALL[..5]))
                details #durations-table { summary { "As a table" } (durations::table(&timed)) }
            }
        }
    }
}

fn bar(run: &Model, now: DateTime<Utc>, zone: Option<Zone>) -> StripBar {
    StripBar {
        shade: Shade::of(run.state),
        milliseconds: taken(run, now),
        title: run_summary(run, zone, now),
        href: paths::run(run.id),
    }
}

/// The value below or at which `percent` of the sorted values are.
fn quantile(sorted: &[u64], percent: usize) -> Option<u64> {
    let place = (sorted.len() * percent).div_ceil(100).checked_sub(1)?;
    sorted.get(place).copied()
}

#[cfg(test)]
mod tests {
    use super::quantile;

    #[test]
    fn quantiles() {
        let values: Vec<u64> = (1..=100).collect();
        assert_eq!((quantile(&values, 50), quantile(&values, 95)), (Some(50), Some(95)));
        assert_eq!((quantile(&[7], 95), quantile(&[], 50)), (Some(7), None));
    }
}
