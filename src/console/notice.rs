//! Says after a change what was done. The address has the name of the notice, never its text, so that no link can make a page say
//! something else. The script takes it out of the address, so that it is said once; the texts say what was done, because it may be over.

use maud::{Markup, html};
use poem::Response;
use serde::Deserialize;

use super::reply;

/// The texts by their names.
const TEXTS: &[(&str, &str)] = &[
    ("project-created", "The project was created."),
    ("environment-created", "The environment was created. Its jobs can be added now."),
    ("environment-saved", "The environment was changed."),
    ("environment-cloned", "This is the copy. Its jobs are not deployed yet."),
    ("environment-deleted", "The environment is deleted, or will be when its jobs have been removed."),
    ("deploy", "The deployment was requested."),
    ("stop", "The stop was requested."),
    ("uninstall", "The removal of what is deployed was requested."),
    ("cancel", "The cancellation was requested. Commands that are running go on."),
    ("cancel-runs", "The cancellation was requested, also of the commands that are running."),
    ("deployment-cancelled", "The deployment was cancelled."),
    ("variable-created", "The variable was created. Deploy the jobs that use it."),
    ("variable-saved", "The variable was changed. Deploy the jobs that use it."),
    ("variable-deleted", "The variable was deleted, with its aliases and overrides."),
    ("variables-imported", "The variables were imported."),
    ("variables-skipped", "The variables were imported, except for some that exist already or cannot be replaced."),
    ("saved", "The change was stored."),
    ("deleted", "The entry was deleted."),
    ("refreshed", "The tags of the module were read."),
    ("unreadable", "The tags of the module could not be read. The list says why."),
    ("workspace-created", "The workspace was created. Its first job can be started now."),
    ("workspace-saved", "The workspace was changed."),
    ("workspace-deleted", "The workspace was deleted."),
    ("workspace-variable-deleted", "The variable was deleted."),
    ("job-created", "The job was created."),
    ("job-approved", "The job was approved."),
    ("job-rejected", "The job was rejected."),
    ("job-cancelled", "The cancellation of the job was requested."),
    ("locked", "The workspace was locked: no new job starts until it is unlocked."),
    ("unlocked", "The workspace was unlocked."),
    ("state-rolled-back", "The version is the newest one again, under a new serial."),
    ("state-imported", "The state was imported."),
    ("state-unlocked", "The lock of the state was removed."),
    ("schedule-created", "The schedule was created."),
    ("schedule-saved", "The schedule was changed."),
    ("schedule-deleted", "The schedule was deleted."),
    ("webhook-saved", "The webhook was changed."),
    ("webhook-deleted", "The webhook was deleted. Remove it at the provider, too."),
    ("push-hook-deleted", "The push hook was deleted. Remove its webhooks at the provider, too."),
    ("comment-saved", "The comment was saved."),
    ("run-queued", "The run was queued."),
    ("test-sent", "The receiver has accepted the test message."),
    ("run-cancelled", "The cancellation of the run was requested."),
    ("backfill-queued", "The runs of the backfill were queued."),
    ("backfill-cancelled", "The cancellation of the open runs of the backfill was requested."),
    ("paused", "The schedule was paused."),
    ("resumed", "The schedule was resumed, also for times that were to be skipped."),
    ("time-skipped", "The time was marked to be skipped."),
    ("job-added", "The job was created. Deploy it, so that it runs."),
    ("job-saved", "The job was changed. Deploy it to make the change effective."),
    ("job-saved-alike", "The change was stored. It needs no deployment."),
    ("job-cloned", "This is the copy. Deploy it, so that it runs."),
    ("job-deleted", "The job is deleted, or will be when what is deployed has been removed."),
    ("check-added", "The check was created. Let what runs elsewhere call its address."),
    ("check-saved", "The check was changed."),
    ("key-replaced", "The check has a new key. Pings with the old address are no longer accepted."),
    ("failures-cleared", "Failed runs from before now no longer count."),
    ("settings-saved", "The advanced settings were changed. Deploy the job to make the change effective."),
];

/// The query of a page that can show a notice.
#[derive(Default, Deserialize)]
pub(super) struct Noticed {
    notice: Option<String>,
}

impl Noticed {
    /// The notice, if there is one.
    pub(super) fn show(&self) -> Markup {
        let text = TEXTS.iter().find(|(name, _)| Some(*name) == self.notice.as_deref()).map(|(_, text)| text);
        html! { @if let Some(text) = text { p.notice role="status" { (text) } } }
    }
}

/// Leads to a page that shows a notice.
pub(super) fn lead(to: &str, name: &str) -> Response {
    reply::redirect(&format!("{to}?notice={name}"))
}
