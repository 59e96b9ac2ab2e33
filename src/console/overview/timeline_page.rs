//! The timeline: the past and the coming hours of all jobs as lanes.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use entity::id::{EnvironmentId, OrganizationId};
use maud::{Markup, html};
use poem::web::{Data, Path, Query};
use poem::{Response, handler};
use serde::Deserialize;
use uuid::Uuid;
use windlass_schedule::time_zone::{self, Zone};

use super::lanes::lanes;
use crate::access::{self, Action, Caller};
use crate::app::App;
use crate::console::live::{self, Fragment, Live};
use crate::console::picture::shade::{Shade, legend};
use crate::console::picture::timeline::{self as picture, MOST_LANES, Timeline};
use crate::console::problems::Problems;
use crate::console::shell::{Page, Section};
use crate::console::viewer::Viewer;
use crate::console::widgets::place;
use crate::console::{paths, reply};
use crate::error::{Error, Result};
use crate::store;
use crate::store::overview::{JobFilter, JobPosition};

/// The width of the picture, in pixels. It is shown as wide as its card; a narrow screen scrolls.
const WIDTH: u32 = 1200;

/// The spans that can be chosen: their names, their words, and half of each in minutes. Half of a span is past.
const SPANS: [(&str, &str, i64); 8] = [
    ("15m", "15 minutes", 8),
    ("1h", "1 hour", 30),
    ("6h", "6 hours", 180),
    ("12h", "12 hours", 360),
    ("24h", "24 hours", 720),
    ("48h", "2 days", 1440),
    ("7d", "7 days", 5040),
    ("30d", "30 days", 21_600),
];

/// What is shown. A link shows what its sender saw.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Wanted {
    span: String,
    /// The middle, in seconds since 1970; now if it is missing.
    at: Option<i64>,
    zone: String,
    q: String,
    after: String,
    after_in: Option<Uuid>,
}

impl Wanted {
    fn half(&self) -> (&'static str, TimeDelta) {
        let found = SPANS.iter().find(|(name, _, _)| *name == self.span);
        let (name, _, minutes) = found.unwrap_or(&("48h", "", 1440));
        (name, TimeDelta::minutes(*minutes))
    }

    fn zone_name(&self) -> &str {
        Some(self.zone.trim()).filter(|name| !name.is_empty()).unwrap_or("Etc/UTC")
    }

    fn zone(&self) -> Result<Zone> {
        time_zone::find(self.zone_name())
            .ok_or_else(|| Error::invalid("zone", "must be an IANA time zone, such as Europe/Paris"))
    }

    fn query(&self, span: &str, at: Option<i64>, after: Option<&JobPosition>) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("span", span);
        for (name, value) in [("zone", &self.zone), ("q", &self.q)] {
            if !value.is_empty() {
                query.append_pair(name, value);
            }
        }
        if let Some(at) = at {
            query.append_pair("at", &at.to_string());
        }
        if let Some((key, environment)) = after {
            query.append_pair("after", key).append_pair("after_in", &environment.0.to_string());
        }
        query.finish()
    }

    fn position(&self) -> Option<JobPosition> {
        self.after_in.map(|id| (self.after.clone(), EnvironmentId(id)))
    }
}

/// The part that changes.
struct LiveTimeline {
    organization: OrganizationId,
    wanted: Wanted,
    zone: Zone,
}

impl Live for LiveTimeline {
    async fn fragments(&self, app: &App, caller: &Caller) -> Result<Vec<Fragment>> {
        let Self { organization, wanted, zone } = self;
        access::organization(&app.db, caller, Action::ViewOrganization, *organization).await?;
        let now = app.clock.now();
        let (span, half) = wanted.half();
        let middle = wanted.at.and_then(|at| DateTime::from_timestamp(at, 0)).unwrap_or(now);
        let end = |moved: Option<DateTime<Utc>>| moved.ok_or_else(|| Error::invalid("at", "is out of range"));
        let (from, until) = (end(middle.checked_sub_signed(half))?, end(middle.checked_add_signed(half))?);
        let sight = access::sight(&app.db, caller, *organization).await?;
        let text = Some(wanted.q.trim().to_owned()).filter(|text| !text.is_empty());
        let filter = JobFilter { text, ..JobFilter::default() };
        let position = wanted.position();
        let most = MOST_LANES as u64 + 1;
        let mut jobs = store::overview::job_page(&app.db, &sight, &filter, position.as_ref(), most).await?;
        let is_cut = jobs.len() > MOST_LANES;
        jobs.truncate(MOST_LANES);
        let next = jobs.last().filter(|_| is_cut).map(|job| job.position());
        let (lanes, has_more) = lanes(app, jobs, (from, until), *zone).await?;
        let shown = Timeline { from, until, now, zone: *zone, lanes };
        let part = html! {
            div #timeline {
                (moves(wanted, (span, half), middle, position.as_ref()))
                (picture_of(&shown, has_more))
                nav.pages aria-label="Pages" {
                    @if position.is_some() { a #first-jobs href={ "?" (wanted.query(span, wanted.at, None)) } { "First jobs" } }
                    @if let Some(next) = &next { a #more-jobs href={ "?" (wanted.query(span, wanted.at, Some(next))) } { "More jobs" } }
                }
            }
        };
        Ok(vec![("timeline", part)])
    }
}

fn picture_of(shown: &Timeline, has_more: bool) -> Markup {
    html! {
        @if shown.lanes.is_empty() {
            p.card { "There are no jobs to show." }
        } @else {
            div #lanes .scroll.card tabindex="0" role="region" aria-label="Timeline" { (picture::timeline(shown, WIDTH)) }
            (legend(&Shade::ALL))
            @if has_more { p.notice { "Only the newest runs are drawn; choose a shorter span to see all of them." } }
            details #as-table { summary { "The same as a table" } div.scroll { (picture::table(shown)) } }
        }
    }
}

#[handler]
pub(super) async fn timeline(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path(id): Path<Uuid>,
    Query(wanted): Query<Wanted>,
) -> poem::Result<Response> {
    let organization = OrganizationId(id);
    access::organization(&app.db, &viewer.caller, Action::ViewOrganization, organization).await?;
    // A zone that is not known is told at its field.
    let (zone, problems) = match wanted.zone() {
        Ok(zone) => (zone, None),
        Err(error) => (Wanted::default().zone()?, Some(Problems::of(error)?)),
    };
    let shown = LiveTimeline { organization, wanted, zone };
    let fragments = shown.fragments(app, &viewer.caller).await?;
    let LiveTimeline { wanted, .. } = shown;
    let (span, _) = wanted.half();
    let body = html! {
        h1 { "Timeline" }
        (choices(&wanted, span, problems.as_ref()))
        @for (_, markup) in &fragments { (markup) }
    };
    let query = wanted.query(span, wanted.at, wanted.position().as_ref());
    let page = Page {
        title: "Timeline".into(),
        place: Some(place(app, organization, Section::Timeline).await?),
        trail: Vec::new(),
        body,
        api: None,
        live: problems.is_none().then(|| format!("{}/timeline/live?{query}", paths::organization(organization))),
    };
    Ok(if problems.is_some() { reply::refused(app, &viewer, &page) } else { reply::page(app, &viewer, &page) })
}

#[handler]
pub(super) async fn timeline_events(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path(id): Path<Uuid>,
    Query(wanted): Query<Wanted>,
) -> poem::Result<Response> {
    let organization = OrganizationId(id);
    access::organization(&app.db, &viewer.caller, Action::ViewOrganization, organization).await?;
    let zone = wanted.zone()?;
    Ok(live::events(app, viewer, LiveTimeline { organization, wanted, zone }))
}

fn choices(wanted: &Wanted, span: &str, problems: Option<&Problems>) -> Markup {
    let problem = problems.and_then(|problems| problems.at("zone"));
    html! {
        form.row method="get" {
            label { "Span "
                select name="span" {
                    @for (name, words, _) in SPANS { option value=(name) selected[name == span] { (words) } }
                }
            }
            label { "Time zone "
                input type="text" name="zone" value=(wanted.zone_name()) aria-invalid=[problem.as_ref().map(|_| "true")]
                    aria-describedby="zone-note";
            }
            span #zone-note { @if let Some(problem) = &problem { span.problem { "Time zone " (problem) ". It is shown in UTC." } } }
            label { "Name " input type="search" name="q" value=(wanted.q); }
            @if let Some(at) = wanted.at { input type="hidden" name="at" value=(at); }
            button.quiet type="submit" { "Show" }
        }
    }
}

fn moves(
    wanted: &Wanted,
    (span, half): (&str, TimeDelta),
    middle: DateTime<Utc>,
    position: Option<&JobPosition>,
) -> Markup {
    let to = |at: Option<i64>| format!("?{}", wanted.query(span, at, position));
    html! {
        nav.pages aria-label="Time" {
            a #time-earlier href=(to(Some((middle.timestamp()).saturating_sub(half.num_seconds())))) { "Earlier" }
            @if wanted.at.is_some() { a #time-now href=(to(None)) { "Now" } }
            a #time-later href=(to(Some((middle.timestamp()).saturating_add(half.num_seconds())))) { "Later" }
        }
    }
}
