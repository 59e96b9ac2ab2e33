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

/// How many times a page has.
const TIMES: usize = 300;

/// The most planned times of a day: one a minute, of the longest day.
const MOST_PLANNED: usize = 1500;

/// A day of a job, and the part of it that is shown.
pub(super) struct Day {
    pub(super) day: NaiveDate,
    /// The last time that is shown; if none is given, that of the day, or on the present day the next one.
    pub(super) through: Option<DateTime<Utc>>,
}

/// The times of a day, newest first, each with a link to its explanation.
pub(super) async fn day(app: &App, scene: &Scene, Day { day, through }: &Day, path: &str) -> Result<Markup> {
    let (now, zone) = (app.clock.now(), zone_of(&scene.job.spec));
    let (from, end) = (start_of(*day, zone), start_of(day.checked_add_days(Days::new(1)).unwrap_or(*day), zone));
    let planned = planned(app, scene, (from, end)).await?;
    let given = through.filter(|at| from <= *at && *at < end);
    let next = planned.iter().copied().find(|at| *at > now).filter(|_| from <= now && now < end);
    let until = given.or(next).map_or(end, |at| at + TimeDelta::microseconds(1));
    let mut times = times(app, scene, (from, until), &planned).await?;
    let earlier = times.iter().rev().nth(TIMES).map(|(at, _)| *at);
    if let Some(earlier) = earlier {
        times.retain(|at, _| *at > earlier);
    }
    let mut rest = planned.iter().copied().filter(|at| *at >= until);
    let later = rest.nth(TIMES - 1).or_else(|| planned.last().copied().filter(|at| *at >= until));
    let link = |through: Option<DateTime<Utc>>| {
        format!("{path}?day={day}{}", through.map(|at| format!("&through={}", stamp(at))).unwrap_or_default())
    };
    let created = scene.job.created_at;
    Ok(html! {
        h3 { (day.format("%A, %-d %B %Y")) }
        @if times.is_empty() { p.soft { "Nothing was planned for this day." } } @else { (table(&times, zone, path)) }
        @if earlier.is_none() && from <= created && created < end {
            p.soft { "The job was created at " (in_zone(created, zone)) ". Times before that have no record." }
        }
        nav.pages aria-label="Times of the day" {
            @if let Some(earlier) = earlier { a rel="next" href=(link(Some(earlier))) { "Earlier times" } }
            @if later.is_some() || given.is_some() { a rel="prev" href=(link(later)) { "Later times" } }
        }
    })
}

/// The times of the schedule in a span.
async fn planned(
    app: &App,
    scene: &Scene,
    (from, until): (DateTime<Utc>, DateTime<Utc>),
) -> Result<Vec<DateTime<Utc>>> {
    if let Schedule::Check { rhythm: Rhythm::Period { .. }, .. } = scene.job.spec.schedule {
        // Its times follow from its pings.
        return Ok(Vec::new());
    }
    let timing = schedule_times(app, &scene.job, app.clock.now()).await?.timing;
    let all = std::iter::successors(timing.next(from - TimeDelta::microseconds(1)), |at| timing.next(*at));
    Ok(all.take_while(|at| *at < until).take(MOST_PLANNED).collect())
}

/// What became of the newest times of a span: one more than a page has, if there are more.
async fn times(
    app: &App,
    scene: &Scene,
    (from, until): (DateTime<Utc>, DateTime<Utc>),
    planned: &[DateTime<Utc>],
) -> Result<BTreeMap<DateTime<Utc>, Markup>> {
    let (now, job, limit) = (app.clock.now(), &scene.job, TIMES as u64 + 1);
    let runs = store::run::list_newest_scheduled_between(&app.db, job.id, (from, until), limit).await?;
    let skipped = store::run::skipped::list_newest_between(&app.db, job.id, (from, until), limit).await?;
    let skip = || html! { span.state.skipped { "skipped" } };
    let mut times: BTreeMap<DateTime<Utc>, Markup> = BTreeMap::new();
    for at in planned.iter().rev().copied().filter(|at| *at < until && *at >= job.created_at).take(TIMES + 1) {
        // After a long outage, several times share one row.
        let is_skipped = skipped.iter().any(|row| row.scheduled_for <= at && at <= row.through);
        let text = if at > now { "planned" } else { "no record" };
        times.insert(
            at,
            if is_skipped {
                skip()
            } else {
                html! { span.soft { (text) } }
            },
        );
    }
    for row in skipped.iter().filter(|row| row.scheduled_for >= from) {
        times.insert(row.scheduled_for, skip());
    }
    for run in &runs {
        let Some(at) = run.scheduled_for else { continue };
        let shade = Shade::of(run.state);
        times.insert(at, html! { span.state.(shade.class()) { (shade.label()) } " " a href=(paths::run(run.id)) { "Run #" (run.number) } });
    }
    Ok(times)
}

fn table(times: &BTreeMap<DateTime<Utc>, Markup>, zone: Option<Zone>, path: &str) -> Markup {
    html! {
        div.scroll {
            table {
                caption { "Times of the day, newest first" }
                thead { tr { th scope="col" { "Time" } th scope="col" { "Outcome" } th scope="col" { "Explanation" } } }
                tbody {
                    @for (at, outcome) in times.iter().rev() {
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
