//! The overview of an organization: what needs attention, and its jobs.

use std::sync::Arc;

use entity::id::{EnvironmentId, OrganizationId};
use entity::run::RunState;
use maud::{Markup, html};
use poem::web::{Data, Path, Query};
use poem::{Response, handler};
use serde::Deserialize;
use uuid::Uuid;

use super::job_rows::JobRows;
use super::needs_attention::NeedsAttention;
use crate::access::{self, Action, Caller};
use crate::app::App;
use crate::console::live::{self, Fragment, Live};
use crate::console::shell::{Page, Section};
use crate::console::viewer::Viewer;
use crate::console::widgets::place;
use crate::console::{paths, reply};
use crate::error::Result;
use crate::store;
use crate::store::overview::{JobFilter, JobPosition};

/// The jobs of a page.
const JOBS: u64 = 50;

/// What is listed. A link shows what its sender saw.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Wanted {
    /// A part of the name.
    q: String,
    /// The state of the last run.
    outcome: String,
    /// Where the page begins: the name key and the environment of the job before it.
    after: String,
    after_in: Option<Uuid>,
}

impl Wanted {
    fn filter(&self) -> JobFilter {
        let outcome = match self.outcome.as_str() {
            "succeeded" => Some(RunState::Succeeded),
            "failed" => Some(RunState::Failed),
            "running" => Some(RunState::Running),
            "queued" => Some(RunState::Queued),
            "cancelled" => Some(RunState::Cancelled),
            _ => None,
        };
        let text = Some(self.q.trim().to_owned()).filter(|text| !text.is_empty());
        JobFilter { text, outcome, ..JobFilter::default() }
    }

    fn position(&self) -> Option<JobPosition> {
        self.after_in.map(|id| (self.after.clone(), EnvironmentId(id)))
    }

    fn is_filtered(&self) -> bool {
        !self.q.trim().is_empty() || !self.outcome.is_empty()
    }

    /// The query of the page that begins after a job.
    fn query(&self, after: Option<&JobPosition>) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (name, value) in [("q", &self.q), ("outcome", &self.outcome)] {
            if !value.is_empty() {
                query.append_pair(name, value);
            }
        }
        if let Some((key, environment)) = after {
            query.append_pair("after", key).append_pair("after_in", &environment.0.to_string());
        }
        query.finish()
    }
}

/// The parts that change.
struct Overview {
    organization: OrganizationId,
    wanted: Wanted,
}

impl Live for Overview {
    async fn fragments(&self, app: &App, caller: &Caller) -> Result<Vec<Fragment>> {
        let Self { organization, wanted } = self;
        access::organization(&app.db, caller, Action::ViewOrganization, *organization).await?;
        let now = app.clock.now();
        let sight = access::sight(&app.db, caller, *organization).await?;
        let attention = NeedsAttention::read(app, caller, *organization, &sight, now).await?;
        let position = wanted.position();
        let mut jobs =
            store::overview::job_page(&app.db, &sight, &wanted.filter(), position.as_ref(), JOBS + 1).await?;
        let is_cut = jobs.len() as u64 > JOBS;
        jobs.truncate(usize::try_from(JOBS).unwrap_or(usize::MAX));
        let next = jobs.last().filter(|_| is_cut).map(|job| wanted.query(Some(&job.position())));
        let is_empty = jobs.is_empty();
        let rows = JobRows::read(app, jobs, now).await?;
        let list = html! {
            div #jobs {
                @if is_empty { (empty(*organization, wanted)) } @else { (rows.show(now)) }
                nav.pages aria-label="Pages" {
                    @if position.is_some() { a href={ "?" (wanted.query(None)) } { "First page" } }
                    @if let Some(next) = next { a href={ "?" (next) } { "Next page" } }
                }
            }
        };
        Ok(vec![("attention", html! { div #attention { (attention.show(now)) } }), ("jobs", list)])
    }
}

fn empty(organization: OrganizationId, wanted: &Wanted) -> Markup {
    html! {
        @if wanted.is_filtered() {
            p.card { "No job matches. " a href=(paths::organization(organization)) { "Show all jobs" } }
        } @else {
            div.card {
                p { "There are no jobs yet." }
                p { "A job belongs to an environment: " a href={ (paths::organization(organization)) "/environments" } { "choose or create one" } ", and add a job to it." }
            }
        }
    }
}

#[handler]
pub(super) async fn overview(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path(id): Path<Uuid>,
    Query(wanted): Query<Wanted>,
) -> poem::Result<Response> {
    let organization = OrganizationId(id);
    let live = format!("{}/events?{}", paths::organization(organization), wanted.query(wanted.position().as_ref()));
    let overview = Overview { organization, wanted: wanted.clone() };
    let fragments = overview.fragments(app, &viewer.caller).await?;
    let body = html! {
        h1 { "Overview" }
        @for (id, markup) in &fragments {
            @if *id == "jobs" {
                h2 { "Jobs" }
                form.row role="search" method="get" {
                    label { "Name " input type="search" name="q" value=(wanted.q); }
                    label { "Last run " (outcomes(&wanted.outcome)) }
                    button.quiet type="submit" { "Filter" }
                }
            }
            (markup)
        }
    };
    let page = Page {
        title: "Overview".into(),
        place: Some(place(app, organization, Section::Overview).await?),
        trail: Vec::new(),
        body,
        api: Some(format!("/organization/{id}/services")),
        live: Some(live),
    };
    Ok(reply::page(app, &viewer, &page))
}

fn outcomes(chosen: &str) -> Markup {
    html! {
        select name="outcome" {
            option value="" { "any" }
            @for name in ["succeeded", "failed", "running", "queued", "cancelled"] {
                option value=(name) selected[name == chosen] { (name) }
            }
        }
    }
}

#[handler]
pub(super) async fn overview_events(
    Data(app): Data<&Arc<App>>,
    viewer: Viewer,
    Path(id): Path<Uuid>,
    Query(wanted): Query<Wanted>,
) -> poem::Result<Response> {
    let organization = OrganizationId(id);
    access::organization(&app.db, &viewer.caller, Action::ViewOrganization, organization).await?;
    Ok(live::events(app, viewer, Overview { organization, wanted }))
}
