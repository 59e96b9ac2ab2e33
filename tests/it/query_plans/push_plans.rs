//! Each query about pushes uses indexes.

use entity::id::{
    OrganizationId, PushFeedbackId, PushHookId, RepositoryHeadId, WorkspaceId, WorkspacePushId, WorkspaceWebhookId,
};
use entity::push_feedback::{self, FeedbackKind};
use entity::webhook_delivery::DeliveryState;
use entity::workspace_push::{Model, PushEvent, PushOutcome, PushProvider};
use windlass::store;
use windlass::store::outbox::Room;
use windlass::store::push::ReportEnd;

use super::{Watched, now};

fn push(pr_number: Option<i32>) -> Model {
    Model {
        id: WorkspacePushId::create(),
        organization_id: OrganizationId::create(),
        workspace_id: WorkspaceId::create(),
        webhook_id: WorkspaceWebhookId::create(),
        created_at: now(),
        updated_at: now(),
        provider: PushProvider::Github,
        delivery: "1".into(),
        digest: "2".into(),
        event: PushEvent::Push,
        outcome: PushOutcome::Waiting,
        reason: None,
        job_id: None,
        repository: None,
        branch: Some("main".into()),
        base: None,
        before_id: None,
        commit_id: None,
        pr_number,
        title: None,
        author: None,
        attempts: 0,
        next_attempt_at: None,
    }
}

fn report() -> push_feedback::Model {
    push_feedback::Model {
        id: PushFeedbackId::create(),
        organization_id: OrganizationId::create(),
        workspace_id: WorkspaceId::create(),
        push_id: WorkspacePushId::create(),
        job_id: 1,
        kind: FeedbackKind::Status,
        subject: "commit 1".into(),
        remote_id: None,
        revision: 1,
        state: DeliveryState::Pending,
        attempts: 0,
        next_attempt_at: now(),
        claimed_until: None,
        sent: None,
        error: None,
        created_at: now(),
        updated_at: now(),
    }
}

#[tokio::test]
async fn pushes_are_found_by_indexes() {
    let folder = tempfile::tempdir().unwrap();
    let watched = Watched::new(&folder).await;
    let db = &watched.db;
    let (hook, workspace) = (WorkspaceWebhookId::create(), WorkspaceId::create());
    watched.check("webhook of a workspace", store::push::of_workspace(db, workspace)).await;
    watched.check("events", store::push::events(db, hook)).await;
    watched.check("webhook in the workspace", store::push::set_of_workspace(db, workspace, Some(hook))).await;
    watched.check("principal", store::push::set_principal(db, hook, "x".into())).await;
    watched.check("due polls", store::push::list_due_polls(db, now(), 10)).await;
    watched.check("polled workspaces", store::push::list_polled(db, OrganizationId::create(), 10)).await;
    watched.check("events of webhooks", store::push::events_of(db, vec![hook, WorkspaceWebhookId::create()])).await;
    watched.check("asked polls", store::push::ask_for_polls(db, vec![hook], now())).await;
    watched.check("polls of a server that is gone", store::push::release_polls(db, now(), now())).await;
    watched.check("known delivery", store::push::known(db, hook, ("1", "2"))).await;
    let branch = ("acme/infra", "main");
    watched.check("newest push", store::push::newest_of_branch(db, workspace, branch)).await;
    watched.check("deliveries", store::push::list(db, workspace, 10)).await;
    for number in [None, Some(7)] {
        watched.check("older jobs", store::push::older_waiting(db, &push(number), 7, 10)).await;
        watched.check("newer job", store::push::newer_job(db, &push(number), 7)).await;
    }
    watched.check("job of a commit", store::push::job_of_commit(db, workspace, (7, "1"))).await;
    watched.check("glance at pushes", store::push::glance(db)).await;
    watched.check("waiting pushes", store::push::claim_waiting(db, now(), now(), 10)).await;
    watched.check("expired pushes", store::push::delete_some_pushes(db, now(), 10)).await;
    let subject = (FeedbackKind::Status, "commit 1".to_owned());
    watched.check("report", store::push::report_on(db, subject, &push(None), 7, now())).await;
    let room = Room { busy: vec![workspace.0], places: 10, retries: 5 };
    watched.check("due reports", store::push::claim_reports(db, &room, (now(), now()))).await;
    watched.check("next report", store::push::next_report(db, &room)).await;
    watched.check("sent", store::push::end_report(db, &report(), ReportEnd::Failed("x".into()), now())).await;
    watched.check("reports of a job", store::push::list_reports(db, 7)).await;
    watched.check("jobs with auto-deploy", store::push::list_auto_deployed(db, None, 10)).await;
    watched.check("one branch", store::push::lock_head(db, RepositoryHeadId::create())).await;
    watched.check("asked branches", store::push::ask_for_heads(db, vec![RepositoryHeadId::create()], now())).await;
    watched.check("push hooks", store::push::list_hooks(db, OrganizationId::create())).await;
    let push_hook = PushHookId::create();
    let digests = ["2".to_owned(), "3".to_owned()];
    watched.check("known push", store::push::known_hook_deliveries(db, push_hook, ("1", &digests))).await;
    watched.check("newest delivered push", store::push::newest_hook_delivery(db, push_hook, branch)).await;
    watched.check("delivered pushes", store::push::list_hook_deliveries(db, push_hook, 10)).await;
    watched.check("expired delivered pushes", store::push::delete_some_hook_deliveries(db, now(), 10)).await;
    watched.check("due branches", store::push::claim_heads(db, now(), now(), 10)).await;
    watched.check("branches", store::push::list_heads(db, OrganizationId::create(), 10)).await;
    watched.check("expired reports", store::push::delete_some_reports(db, now(), 10)).await;
    assert_eq!(watched.broken.into_inner().unwrap(), Vec::<String>::new());
}
