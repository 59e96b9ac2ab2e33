//! A job was changed by somebody else while its form was open: who changed what, and what a second Save replaces.

use chrono::{DateTime, TimeDelta, Utc};
use entity::event;
use maud::{Markup, html};

use super::changes_tab::through;
use super::definition_text::DefinitionText;
use super::difference::{self, Names};
use super::scene::Scene;
use crate::access::{Action, Location};
use crate::app::App;
use crate::console::paths;
use crate::console::viewer::Viewer;
use crate::console::when::{when, zone_of};
use crate::error::Result;
use crate::store;
use crate::store::event::{EventCursor, EventFilter};

/// How many changes are shown.
const MOST: u64 = 10;

/// The event of a change is recorded a moment after the job has its new time.
const MOMENT: TimeDelta = TimeDelta::milliseconds(500);

/// What the form says above its fields. `scene` is the job as it is stored now, `seen` the time of the change that the form began with.
pub(super) async fn edit_conflict(
    app: &App,
    viewer: &Viewer,
    scene: &Scene,
    (text, seen): (&DefinitionText, DateTime<Utc>),
) -> Result<Markup> {
    let (job, now) = (&scene.job, app.clock.now());
    let names = difference::names(app, job.organization_id).await?;
    let changes = changes_since(app, viewer, scene, seen).await?;
    let replaced = match text.read(Some(job)) {
        Ok((name, spec)) => difference::of_form((&job.name, &job.spec), (&name, &spec), &names),
        // Its fields say what is wrong.
        Err(_) => html! {},
    };
    Ok(html! {
        section.card.attention role="alert" aria-labelledby="conflict-title" {
            h2 #conflict-title { "The job was changed by somebody else in the meantime" }
            p {
                "Nothing was saved. What you have typed is still in the form: save it again to replace what is stored now, or "
                a href={ (paths::job(job.id)) "/edit" } { "load what is stored" } "."
            }
            @for change in &changes { (changed(change, &names, (now, scene))) }
            (replaced)
        }
    })
}

fn changed(change: &event::Model, names: &Names, (now, scene): (DateTime<Utc>, &Scene)) -> Markup {
    html! {
        p { bdi { (change.triggered_by) } " " (through(change.origin)) ", " (when(change.created_at, zone_of(&scene.job.spec), now)) }
        (difference::of_event((change.before.as_ref(), change.after.as_ref()), names))
    }
}

/// The changes of the configuration, for those who may see events.
async fn changes_since(app: &App, viewer: &Viewer, scene: &Scene, seen: DateTime<Utc>) -> Result<Vec<event::Model>> {
    let organization = scene.job.organization_id;
    if !viewer.caller.may(organization, Action::ViewEvents, &Location::default()) {
        return Ok(Vec::new());
    }
    let wanted = EventFilter {
        from: Some(seen + MOMENT),
        kind: Some("UPDATE".into()),
        target: Some("JOB".into()),
        target_id: Some(scene.job.id.0),
        ..EventFilter::default()
    };
    let mut rows = store::event::list(&app.db, organization, wanted, EventCursor::Newest, MOST).await?;
    rows.retain(|row| row.before.is_some() && row.after.is_some());
    Ok(rows)
}
