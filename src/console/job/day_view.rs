//! One day of a job: its planned times, and what became of each.

use std::collections::BTreeMap;

use chrono::{DateTime, Days, NaiveDate, NaiveTime, TimeDelta, TimeZone as _, Utc};
use entity::job_spec::{Rhythm, Schedule};
use maud::{Markup, html};
use windlass_schedule::time_zone::Zone;

use super::scene::Scene;
use crate::app::App;
use crate::console::paths;
use crate::console::picture::Shade;
use crate::console::when::{in_zone, stamp, zone_of};
use crate::engine::schedule_times::schedule_times;
use crate::error::Result;
use crate::store;

/// How many times of a day are shown.
const TIMES: usize = 300;

/// The times of a day, each with a link to its explanation.
pub(super) async fn day(app: &App, scene: &Scene, day: NaiveDate, path: &str) -> Result<Markup> {
    let (now, zone) = (app.clock.now(), zone_of(&scene.job.spec));
    let (from, until) = (start_of(day, zone), start_of(day.checked_add_days(Days::new(1)).unwrap_or(day), zone));
    let timing = match scene.job.spec.schedule {
        // Its times follow from its pings.
        Schedule::Check { rhythm: Rhythm::Period { .. }, .. } => None,
        _ => Some(schedule_times(app, &scene.job, now).await?.timing),
    };
    let limit = TIMES as u64;
    let runs = store::run::list_scheduled_between(&app.db, scene.job.id, (from, until), limit).await?;
    let skipped = store::run::skipped::list_between(&app.db, scene.job.id, (from, until), limit).await?;
    let mut times: BTreeMap<DateTime<Utc>, Markup> = BTreeMap::new();
    let next = |after: DateTime<Utc>| timing.as_ref().and_then(|timing| timing.next(after));
    let planned = std::iter::successors(next(from - TimeDelta::microseconds(1)), |at| next(*at));
    for at in planned.take_while(|at| *at < until).take(TIMES) {
        let text = if at > now { "planned" } else { "no record" };
        times.insert(at, html! { span.soft { (text) } });
    }
    for row in skipped.iter().filter(|row| row.scheduled_for >= from) {
        times.insert(row.scheduled_for, html! { span.state.skipped { "skipped" } });
    }
    for run in &runs {
        let Some(at) = run.scheduled_for else { continue };
        let shade = Shade::of(run.state);
        times.insert(at, html! { span.state.(shade.class()) { (shade.label()) } " " a href=(paths::run(run.id)) { "Run " (run.number) } });
    }
    Ok(html! {
        h3 { (day.format("%A, %-d %B %Y")) }
        @if times.is_empty() { p.soft { "Nothing was planned for this day." } }
        @else {
            div.scroll {
                table {
                    caption { "Times of the day" @if times.len() >= TIMES { ": the first " (TIMES) } }
                    thead { tr { th scope="col" { "Time" } th scope="col" { "Outcome" } th scope="col" { "Explanation" } } }
                    tbody {
                        @for (at, outcome) in times.iter().take(TIMES) {
                            tr {
                                td { (in_zone(*at, zone)) }
                                td { (outcome) }
                                td { a href={ (path) "?at=" (stamp(*at)) } aria-label={ "Why? " (in_zone(*at, zone)) } { "Why?" } }
                            }
                        }
                    }
                }
            }
        }
    })
}

/// When a day begins; where the clock skips midnight, the first time after it.
fn start_of(day: NaiveDate, zone: Option<Zone>) -> DateTime<Utc> {
    let midnight = day.and_time(NaiveTime::MIN);
    let Some(zone) = zone else { return midnight.and_utc() };
    let hours = (0..4).filter_map(|hours| {
        zone.from_local_datetime(&(midnight + TimeDelta::hours(hours))).earliest().map(|at| at.to_utc())
    });
    hours.min().unwrap_or_else(|| midnight.and_utc())
}
