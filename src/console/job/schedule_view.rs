//! The schedule of a job: in words, its next times, and what holds them back.

use chrono::{DateTime, Utc};
use entity::job_spec::{Rhythm, Schedule};
use maud::{Markup, html};
use windlass_schedule::time_zone::Zone;

use super::scene::Scene;
use crate::access::{Action, Caller};
use crate::app::App;
use crate::console::paths;
use crate::console::post_button::token;
use crate::console::when::{distance, exact, in_zone, stamp, zone_of};
use crate::engine::cron::{Hold, Holds, Keeper};
use crate::engine::definition::NEVER_FIRES;
use crate::engine::schedule_times::{ScheduleTimes, schedule_times};
use crate::error::Result;

/// How many times are shown.
const TIMES: usize = 10;

/// The section of the page; nothing for a LIFECYCLE job but the events on which it runs.
pub(super) async fn schedule(app: &App, scene: &Scene, caller: &Caller, csrf: &str) -> Result<Markup> {
    let spec = scene.job.deployed.as_ref().unwrap_or(&scene.job.spec);
    let (Schedule::Cron { scheduled_at, timezone, .. }
    | Schedule::Check { rhythm: Rhythm::Cron { scheduled_at, timezone }, .. }) = &spec.schedule
    else {
        return Ok(events(&spec.schedule));
    };
    let (now, zone) = (app.clock.now(), zone_of(spec));
    let ScheduleTimes { timing, keeper, planned, holds } = schedule_times(app, &scene.job, now).await?;
    let first = planned.filter(|planned| *planned > now).or_else(|| timing.next(now));
    let times: Vec<_> = std::iter::successors(first, |time| timing.next(*time)).take(TIMES).collect();
    let may_deploy = scene.may(caller, Action::Deploy);
    Ok(html! {
        section #schedule.card aria-labelledby="schedule-title" {
            h2 #schedule-title { "Schedule" }
            p { (capital(&timing.words())) " " span.soft { "(" code { (scheduled_at) } ", " (timezone) ")" } }
            @if scene.job.deployed.is_none() { p.soft { "The schedule is not deployed: nothing runs at these times until the job is deployed." } }
            @if !timing.can_fire() { p.problem { (NEVER_FIRES) } }
            @match &keeper {
                Keeper::Kubernetes => p.soft { "Kubernetes starts its runs." },
                Keeper::Server(Some(why)) => p.soft { "This server starts its runs: " (why) "." },
                Keeper::Server(None) => {},
            }
            (pause(&holds, now, zone))
            @if !times.is_empty() { (table(&times, &holds, (now, zone), may_deploy.then_some((scene, csrf)))) }
        }
    })
}

/// When a LIFECYCLE job runs.
fn events(schedule: &Schedule) -> Markup {
    let Schedule::Lifecycle { on_start, on_stop, on_delete, .. } = schedule else {
        return html! { section #schedule {} };
    };
    let all = [("is started", on_start), ("is stopped", on_stop), ("is deleted", on_delete)];
    let named: Vec<&str> = all.iter().filter(|(_, command)| command.is_some()).map(|(name, _)| *name).collect();
    html! {
        section #schedule.card aria-labelledby="schedule-title" {
            h2 #schedule-title { "Events" }
            p { "Runs when its environment " (named.join(", or ")) "." }
        }
    }
}

fn pause(holds: &Holds, now: DateTime<Utc>, zone: Option<Zone>) -> Markup {
    let lasting = holds.pause.as_ref().filter(|pause| pause.until.is_none_or(|until| until > now));
    html! {
        @if let Some(pause) = lasting {
            p.notice role="status" {
                "Paused by " bdi { (pause.requested_by) } " since " (exact(pause.paused_at, zone))
                @match pause.until {
                    Some(until) => { ", until " (exact(until, zone)) },
                    None => ", until it is resumed",
                }
                "."
            }
        }
    }
}

/// The next times, with changes of the clock between them.
fn table(
    times: &[DateTime<Utc>],
    holds: &Holds,
    (now, zone): (DateTime<Utc>, Option<Zone>),
    skips: Option<(&Scene, &str)>,
) -> Markup {
    let before = |place: usize| place.checked_sub(1).and_then(|place| times.get(place)).copied().unwrap_or(now);
    html! {
        div.scroll {
            table.stacked {
                caption { "Next times" }
                thead { tr {
                    th scope="col" { "Time" } th scope="col" { "From now" } th scope="col" { "Note" }
                    @if skips.is_some() { th scope="col" { "Action" } }
                } }
                tbody {
                    @for (place, at) in times.iter().enumerate() {
                        @let hold = holds.of(*at);
                        tr {
                            td data-label="Time" { (exact(*at, zone)) }
                            td data-label="From now" { (distance(*at, now)) }
                            td data-label="Note" {
                                @match &hold {
                                    Some(Hold::Pause(_)) => "will be skipped: the schedule is paused",
                                    Some(Hold::Skip(skip)) => { "will be skipped: requested by " bdi { (skip.requested_by) } },
                                    Some(Hold::Calendar(why)) => { "will be skipped: " bdi { (why) } },
                                    None => {},
                                }
                                @if let Some(change) = clock_change(before(place), *at, zone) { " " span.clock-change { (change) } }
                            }
                            @if let Some((scene, csrf)) = skips {
                                td data-label="Action" { @if hold.is_none() { (skip_button(scene, csrf, *at, zone)) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn skip_button(scene: &Scene, csrf: &str, at: DateTime<Utc>, zone: Option<Zone>) -> Markup {
    html! {
        form.inline method="post" action={ (paths::job(scene.job.id)) "/skip" } {
            (token(csrf))
            input type="hidden" name="at" value=(stamp(at));
            button.quiet id={ "skip-" (at.timestamp()) } type="submit" aria-label={ "Skip " (in_zone(at, zone)) } { "Skip" }
        }
    }
}

/// Whether clocks change between two times.
fn clock_change(after: DateTime<Utc>, until: DateTime<Utc>, zone: Option<Zone>) -> Option<String> {
    let zone = zone?;
    let change = zone.changes(after).next().filter(|change| change.at <= until)?;
    let way = if change.after.local_minus_utc() > change.before.local_minus_utc() { "forward" } else { "back" };
    Some(format!("clocks are set {way} before: UTC{} becomes UTC{}", change.before, change.after))
}

/// A sentence begins with a capital letter.
pub(super) fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default() + letters.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;
    use windlass_schedule::time_zone::find;

    #[test]
    fn changes_of_the_clock_are_named() {
        let at = |text: &str| DateTime::parse_from_rfc3339(text).unwrap().to_utc();
        let berlin = find("Europe/Berlin");
        let text = clock_change(at("2026-03-28T12:00:00Z"), at("2026-03-29T12:00:00Z"), berlin).unwrap();
        assert_eq!(text, "clocks are set forward before: UTC+01:00 becomes UTC+02:00");
        assert!(clock_change(at("2026-10-24T12:00:00Z"), at("2026-10-25T12:00:00Z"), berlin).unwrap().contains("back"));
        assert_eq!(clock_change(at("2026-11-24T12:00:00Z"), at("2026-11-25T12:00:00Z"), berlin), None);
    }
}
