//! The forecast: what the schedules will do in the coming day, by the durations that each job has had.

use std::sync::Arc;

use entity::cluster;
use entity::id::OrganizationId;
use entity::run::SERVER_SLOTS;
use maud::{Markup, html};
use poem::web::{Data, Path};
use poem::{Response, handler};
use uuid::Uuid;

use crate::access::{self, Action};
use crate::app::App;
use crate::console::format::duration;
use crate::console::shell::{Page, Section};
use crate::console::viewer::Viewer;
use crate::console::when::{exact, when};
use crate::console::widgets::place;
use crate::console::{paths, reply};
use crate::engine::cron::Concurrency;
use crate::engine::forecast::{CloseToLimit, Forecast, Overlap, Peak};
use crate::engine::outlook_of_jobs::outlook_of_jobs;
use crate::error::Error;
use crate::store;

/// How far the forecast looks ahead.
const HOURS: i64 = 24;

#[handler]
pub(super) async fn forecast(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path(id): Path<Uuid>,
) -> poem::Result<Response> {
    let organization = OrganizationId(id);
    access::organization(&app.db, &viewer.caller, Action::ViewOrganization, organization).await?;
    let sight = access::sight(&app.db, &viewer.caller, organization).await?;
    let seen = outlook_of_jobs(app, &sight, HOURS).await?;
    let clusters = store::cluster::list_by_organization(&app.db, organization).await.map_err(Error::from)?;
    let body = html! {
        h1 { "Forecast" }
        (summary(&seen))
        h2 { "Peaks" }
        (peaks(&seen.peaks, &clusters))
        h2 { "Runs that meet their next time" }
        (overlaps(&seen.overlaps))
        h2 { "Runs that are close to their time limit" }
        (close_to_limit(&seen.close_to_limit))
    };
    let page = Page {
        title: "Forecast".into(),
        place: Some(place(app, organization, Section::Forecast).await?),
        trail: Vec::new(),
        body,
        api: Some(format!("/organization/{id}/forecast")),
        live: None,
    };
    Ok(reply::page(app, &viewer, &page))
}

fn summary(seen: &Forecast) -> Markup {
    let Forecast { from, until, is_cut, planned, without_history, .. } = seen;
    html! {
        p {
            strong { (planned) } " times are planned until " (exact(*until, None)) "."
            @if *without_history > 0 {
                " " (without_history) @if *without_history == 1 { " job has" } @else { " jobs have" }
                " not succeeded yet; their runs count as if they took no time."
            }
        }
        p.soft { "Counted from " (exact(*from, None)) " with the durations of each job's last successful runs: p50 is the middle one, p95 is longer than 95 of 100." }
        @if *is_cut { p.notice { "Only the first times are counted, because there are too many." } }
    }
}

fn peaks((rows, all): &(Vec<Peak>, usize), clusters: &[cluster::Model]) -> Markup {
    let name = |slots: Uuid| {
        let known = clusters.iter().find(|row| row.id.0 == slots).map(|row| row.name.clone());
        if slots == SERVER_SLOTS { "this server".to_owned() } else { known.unwrap_or_else(|| "a cluster".to_owned()) }
    };
    html! {
        @if rows.is_empty() {
            p.card { "No more runs are due at once than there are slots." }
        } @else {
            div.scroll { table.stacked {
                caption.hidden { "Times at which more runs are due than there are slots" }
                thead { tr {
                    th scope="col" { "At" } th scope="col" { "Where" } th.number scope="col" { "Due" } th.number scope="col" { "Slots" }
                    th.number scope="col" { "The last one waits (p50)" } th.number scope="col" { "(p95)" } th scope="col" { "What would help" }
                } }
                tbody { @for peak in rows { tr {
                    td data-label="At" { (exact(peak.at, None)) }
                    td data-label="Where" { (name(peak.slots)) }
                    td.number data-label="Due" { (peak.due) }
                    td.number data-label="Slots" { (peak.capacity) }
                    td.number data-label="Wait, p50" { (duration(peak.wait_p50)) }
                    td.number data-label="Wait, p95" { (duration(peak.wait_p95)) }
                    td data-label="What would help" {
                        @match peak.jitter_seconds {
                            Some(seconds) => { "a jitter of " (seconds) " s for these jobs (" code { "cronjob.jitter_seconds" } ")" },
                            None => { "more slots: spreading the runs is not enough" },
                        }
                    }
                } } }
            } }
            (rest(*all, rows.len()))
        }
    }
}

fn overlaps((rows, all): &(Vec<Overlap>, usize)) -> Markup {
    html! {
        @if rows.is_empty() {
            p.card { "No run is expected to last until the next time of its job." }
        } @else {
            div.scroll { table.stacked {
                caption.hidden { "Jobs whose runs last until their next time" }
                thead { tr {
                    th scope="col" { "Job" } th scope="col" { "First" } th.number scope="col" { "Times (p50)" } th.number scope="col" { "Times (p95)" }
                    th scope="col" { "Then" }
                } }
                tbody { @for row in rows { tr {
                    td data-label="Job" { a href=(paths::job(row.job)) { (row.name) } }
                    td data-label="First" { (when(row.first, None, row.first)) }
                    td.number data-label="Times, p50" { (row.times_p50) }
                    td.number data-label="Times, p95" { (row.times_p95) }
                    td data-label="Then" { (consequence(row.concurrency)) }
                } } }
            } }
            (rest(*all, rows.len()))
        }
    }
}

fn consequence(concurrency: Concurrency) -> &'static str {
    match concurrency {
        Concurrency::Allow => "both run at the same time",
        Concurrency::Forbid => "the next time is skipped",
        Concurrency::Replace => "the older run is cancelled",
        Concurrency::Queue => "the next run waits",
    }
}

fn close_to_limit((rows, all): &(Vec<CloseToLimit>, usize)) -> Markup {
    html! {
        @if rows.is_empty() {
            p.card { "No job is close to its time limit." }
        } @else {
            ul {
                @for row in rows {
                    li { a href=(paths::job(row.job)) { (row.name) } ": p95 is " (duration(row.p95)) ", the limit is " (duration(row.limit)) }
                }
            }
            (rest(*all, rows.len()))
        }
    }
}

fn rest(all: usize, shown: usize) -> Markup {
    html! { @if all > shown { p.soft { (all - shown) " more are not shown." } } }
}
