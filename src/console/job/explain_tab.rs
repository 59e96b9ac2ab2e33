//! Why a job ran or did not run: a calendar, the times of a day, and the answer for one instant.

use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use entity::id::JobId;
use entity::job_spec::JobType;
use maud::{Markup, html};
use poem::web::{Data, Path, Query};
use poem::{Response, handler};
use serde::Deserialize;
use uuid::Uuid;
use windlass_schedule::time_zone::Zone;

use super::calendar::month;
use super::day_view::{Day, day};
use super::job_frame::{JobTab, frame};
use super::scene::Scene;
use super::schedule_view::capital;
use crate::access::Action;
use crate::app::App;
use crate::console::local_time::{self, local};
use crate::console::picture::Shade;
use crate::console::viewer::Viewer;
use crate::console::when::{exact, stamp, zone_of};
use crate::console::{paths, reply};
use crate::engine::explanation::{Explanation, Verdict, explain};

/// The query of the page.
#[derive(Default, Deserialize)]
pub(super) struct ExplainQuery {
    at: Option<String>,
    day: Option<NaiveDate>,
    /// The last time of the day that is shown.
    through: Option<DateTime<Utc>>,
}

#[handler]
pub(super) async fn explain_page(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path(id): Path<Uuid>,
    Query(query): Query<ExplainQuery>,
) -> poem::Result<Response> {
    let scene = Scene::load_any(app, &viewer.caller, Action::View, JobId(id)).await?;
    let (now, zone) = (app.clock.now(), zone_of(&scene.job.spec));
    let path = format!("{}/explain", paths::job(scene.job.id));
    let content = if scene.job.job_type == JobType::Lifecycle {
        html! { p { "A LIFECYCLE job has no schedule: it runs when its environment is deployed, stopped or deleted." } }
    } else {
        let asked = query.at.as_deref().filter(|text| !text.is_empty());
        let asked = asked.map(|text| local_time::parse("at", text, zone)).transpose()?;
        let local_day = |at: DateTime<Utc>| match zone {
            Some(zone) => at.with_timezone(&zone).date_naive(),
            None => at.date_naive(),
        };
        let today = local_day(now);
        let chosen = query.day.or(asked.map(local_day)).unwrap_or(today);
        html! {
            form.row method="get" action=(path) {
                label for="at" { "At (" (zone.map_or("UTC", Zone::name)) ")" }
                input #at type="datetime-local" name="at" value=(local(asked.unwrap_or(now), zone)) required;
                button type="submit" { "Why?" }
            }
            @if let Some(at) = asked { (answer(&explain(app, &scene.job, Some(at)).await?, zone, &path)) }
            (month(&path, chosen, today))
            (day(app, &scene, &Day { day: chosen, through: query.through }, &path).await?)
        }
    };
    let page = frame(&scene, &viewer.caller, JobTab::Explain, "Why did it run?", "/explain", content);
    Ok(reply::page(app, &viewer, &page))
}

fn answer(explanation: &Explanation, zone: Option<Zone>, path: &str) -> Markup {
    let Explanation { at, verdict, reason, runs, skipped: _, previous, next } = explanation;
    let (class, word) = match verdict {
        Verdict::Ran => ("ok", "ran"),
        Verdict::Skipped => ("queued", "skipped"),
        Verdict::Pending => ("running", "pending"),
        Verdict::NotDue => ("cancelled", "not due"),
        Verdict::Unknown => ("cancelled", "unknown"),
    };
    html! {
        section #answer.card role="status" {
            h2 { (exact(*at, zone)) }
            p { span.state.(class) { (word) } " " (capital(reason)) "." }
            @for run in runs {
                p { a href=(paths::run(run.id)) { "Run #" (run.number) } ": " (Shade::of(run.state).label()) }
            }
            p.row {
                @if let Some(previous) = previous { a href={ (path) "?at=" (stamp(*previous)) } { "Time before: " (exact(*previous, zone)) } }
                @if let Some(next) = next { a href={ (path) "?at=" (stamp(*next)) } { "Time after: " (exact(*next, zone)) } }
            }
        }
    }
}
