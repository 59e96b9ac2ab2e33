//! Each query of the passes over alerts, and of what webhooks are told, uses indexes.

use entity::alert::AlertState;
use entity::alert_delivery::{Items, MessageKind};
use entity::alert_rule::{Model as Rule, Receivers, Target};
use entity::id::{
    AlertCauseId, AlertDeliveryId, AlertId, AlertReceiverId, AlertRuleId, ClusterId, DeploymentId, EnvironmentId,
    GroupId, JobId, OrganizationId, ProjectId, RunId, WebhookId, WorkspaceId,
};
use entity::webhook_delivery::DeliveryState;
use entity::{alert, alert_delivery, alert_rule};
use windlass::store;
use windlass::store::outbox::Room;
use windlass::store::overview;

use super::{Watched, now, room};

fn rule(target: Target) -> Rule {
    Rule {
        id: AlertRuleId::create(),
        organization_id: OrganizationId::create(),
        cluster_id: ClusterId::create(),
        created_at: now(),
        updated_at: now(),
        name: "idle".into(),
        description: String::new(),
        tag: String::new(),
        condition: alert_rule::Condition::NoSuccessFor,
        threshold: Some(60),
        reasons: None,
        times_p95: None,
        operator: None,
        function: None,
        for_seconds: 0,
        severity: alert_rule::Severity::High,
        enabled: true,
        receivers: Receivers::default(),
        summary: None,
        runbook_url: None,
        target,
        project_id: Some(ProjectId::create()),
        environment_id: Some(EnvironmentId::create()),
        job_id: Some(JobId::create()),
        label_key: Some("team".into()),
        label_value: Some("data".into()),
    }
}

fn message() -> alert_delivery::Model {
    alert_delivery::Model {
        id: AlertDeliveryId::create(),
        receiver_id: AlertReceiverId::create(),
        rule_id: AlertRuleId::create(),
        kind: MessageKind::Firing,
        created_at: now(),
        updated_at: now(),
        items: Items::default(),
        more: 0,
        state: DeliveryState::Pending,
        attempts: 0,
        next_attempt_at: now(),
        quiet_until: None,
        error: None,
    }
}

fn shown() -> alert::Model {
    alert::Model {
        id: AlertId::create(),
        rule_id: AlertRuleId::create(),
        subject_id: uuid::Uuid::now_v7(),
        environment_id: None,
        job_id: None,
        run_id: None,
        workspace_id: None,
        workspace_job_id: None,
        cluster_id: None,
        state: AlertState::Triggered,
        since: now(),
        seen_at: now(),
        times: 1,
        due_at: None,
        told_at: None,
        reason: None,
        decision: String::new(),
    }
}

#[tokio::test]
async fn alerts_are_decided_by_indexes() {
    let folder = tempfile::tempdir().unwrap();
    let watched = Watched::new(&folder).await;
    let db = &watched.db;
    let (organization, job, run) = (OrganizationId::create(), JobId::create(), RunId::create());
    let (environment, of_rule, id) = (EnvironmentId::create(), AlertRuleId::create(), AlertId::create());
    watched.check("causes", store::alert::any_cause(db)).await;
    watched.check("oldest causes", store::alert::take_causes(db, 10)).await;
    watched.check("deleted causes", store::alert::delete_causes(db, vec![AlertCauseId::create()])).await;
    watched.check("failed run", store::alert::note_run_failed(db, run, now())).await;
    let skipped = entity::skipped_time::Model {
        job_id: job,
        scheduled_for: now(),
        through: now(),
        reason: entity::skipped_time::SkipReason::Missed,
        recorded_at: now(),
        requested_by: None,
        detail: None,
    };
    watched.check("skipped times", store::alert::note_skipped(db, &[skipped], now())).await;
    let failed = store::alert::note_deployment_failed(db, DeploymentId::create(), environment, now());
    watched.check("failed deployment", failed).await;
    watched.check("rules", store::alert::lock_rules_of(db, vec![organization])).await;
    watched.check("rules by id", store::alert::lock_rules(db, vec![of_rule])).await;
    watched.check("alerts of subjects", store::alert::list_alerts(db, vec![of_rule], vec![job.0])).await;
    watched.check("alerts of rules", store::alert::list_alerts_of_rules(db, vec![of_rule])).await;
    for of in [
        store::alert::AlertsOf::Job(job),
        store::alert::AlertsOf::Environment(environment),
        store::alert::AlertsOf::Workspace(WorkspaceId::create()),
        store::alert::AlertsOf::Cluster(ClusterId::create()),
    ] {
        watched.check(&format!("told alerts: {of:?}"), store::alert::list_told_alerts(db, of)).await;
    }
    watched.check("rules without a lock", store::alert::list_rules_by_ids(db, vec![of_rule])).await;
    watched.check("alerts by id", store::alert::list_alerts_by_ids(db, vec![id])).await;
    watched.check("saved alert", store::alert::save_alert(db, shown(), false)).await;
    watched.check("due alerts", store::alert::due_alerts(db, now(), 10)).await;
    watched.check("alerts", store::alert::page_of_alerts(db, id, 10)).await;
    watched.check("recovered alerts", store::alert::list_recovered(db, &[id])).await;
    watched.check("confirmed alerts", store::alert::touch_alerts(db, vec![id], now())).await;
    watched.check("deleted alerts", store::alert::delete_alerts(db, vec![id])).await;
    watched.check("alerts of a deleted rule", store::alert::delete_alerts_of_rule(db, of_rule)).await;
    watched.check("notified alerts", store::alert::mark_notified(db, vec![id], now())).await;
    watched.check("silences", store::alert::list_current_silences(db, vec![organization], now())).await;
    watched.check("failures in a row", store::alert::failed_in_a_row(db, job, 5)).await;
    watched.check("places", store::alert::places(db, vec![environment])).await;
    watched.check("places of workspaces", store::alert::workspace_places(db, vec![WorkspaceId::create()])).await;
    watched.check("places of clusters", store::alert::cluster_places(db, vec![ClusterId::create()])).await;
    watched.check("names", store::alert::job_names(db, vec![job])).await;
    watched.check("labels", store::alert::labels_of_jobs(db, &[job])).await;
    watched.check("groups with a label", store::alert::groups_with_label(db, organization, ("team", "data"))).await;
    watched.check("usual lengths", overview::success_durations(db, &[job], 100)).await;
    assert_eq!(watched.broken.into_inner().unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn what_nothing_reports_is_looked_for_by_indexes() {
    let folder = tempfile::tempdir().unwrap();
    let watched = Watched::new(&folder).await;
    let db = &watched.db;
    let job = JobId::create();
    watched.check("deployed job", store::alert::begin_success(db, job, now())).await;
    watched.check("success", store::alert::note_successes(db, &[(job, now())])).await;
    let successes = [(job, now()), (JobId::create(), now())];
    watched.check("successes", store::alert::note_successes(db, &successes)).await;
    watched.check("job that is not deployed", store::alert::end_success(db, job)).await;
    watched.check("stopped environment", store::alert::end_successes_of(db, EnvironmentId::create())).await;
    for target in
        [Target::Organization, Target::Project, Target::Cluster, Target::Environment, Target::Job, Target::Label]
    {
        let rule = rule(target);
        let groups = [GroupId::create()];
        let what = format!("{target:?}");
        watched
            .check(&format!("idle jobs: {what}"), store::alert::list_idle_jobs(db, (&rule, &groups), now(), 10))
            .await;
        watched
            .check(&format!("next idle job: {what}"), store::alert::next_idle_job(db, (&rule, &groups), now()))
            .await;
    }
    let organizations = [OrganizationId::create(), OrganizationId::create()];
    watched.check("late runs", store::alert::list_late_runs(db, &organizations, now(), 10)).await;
    watched.check("long runs", store::alert::list_long_runs(db, &organizations, now(), 10)).await;
    watched.check("drifted workspaces", store::alert::list_drifted(db, 10)).await;
    watched.check("waiting workspace jobs", store::alert::list_waiting_jobs(db, now(), 10)).await;
    let clusters = store::cluster::list_by_organization(db, OrganizationId::create());
    watched.check("clusters", clusters).await;
    assert_eq!(watched.broken.into_inner().unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn messages_are_found_by_indexes() {
    let folder = tempfile::tempdir().unwrap();
    let watched = Watched::new(&folder).await;
    let db = &watched.db;
    let (receiver, of_rule, id) = (AlertReceiverId::create(), AlertRuleId::create(), AlertDeliveryId::create());
    let group = (receiver, of_rule, MessageKind::Firing);
    watched.check("receivers", store::alert::list_receivers_by_ids(db, vec![receiver])).await;
    watched.check("new message", store::alert::create_message(db, message())).await;
    watched.check("waiting messages", store::alert::waiting_messages(db, (receiver, of_rule))).await;
    for more in [0, 1] {
        watched.check("changed message", store::alert::change_message(db, id, (Items::default(), more), now())).await;
    }
    watched.check("last message", store::alert::last_message(db, group)).await;
    watched.check("next message", store::alert::next_message(db, &room())).await;
    watched.check("next new message", store::alert::next_message(db, &Room { retries: 0, ..room() })).await;
    watched.check("glance at alerts", store::alert::glance(db)).await;
    watched.check("due messages", store::alert::claim_messages(db, &room(), (now(), now()))).await;
    watched.check("put off message", store::alert::put_off_message(db, (id, 1), now())).await;
    watched.check("released message", store::alert::release_message(db, id, (now(), String::new()), now())).await;
    let ended = store::alert::end_message(db, id, (DeliveryState::Delivered, None), now());
    watched.check("ended message", ended).await;
    watched.check("error of a receiver", store::alert::note_error(db, receiver, None)).await;
    watched.check("expired messages", store::alert::delete_some_messages(db, now(), 10)).await;
    assert_eq!(watched.broken.into_inner().unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn what_webhooks_are_told_is_found_by_indexes() {
    let folder = tempfile::tempdir().unwrap();
    let watched = Watched::new(&folder).await;
    let db = &watched.db;
    let (job, webhook) = (JobId::create(), WebhookId::create());
    watched.check("webhooks", store::webhook_news::list_interested(db)).await;
    let plan = watched.check("webhooks of jobs", store::webhook_news::list_interested_in_jobs(db, &[job])).await;
    assert!(plan.iter().any(|line| line.contains("webhook_own_events")), "all webhooks are read: {plan:?}");
    let organization = OrganizationId::create();
    watched.check("webhooks of one", store::webhook_news::list_interested_in(db, organization)).await;
    let causes = ["RUN_TOO_LONG 1".to_owned()];
    watched.check("told", store::webhook_news::list_told(db, &[webhook], &causes)).await;
    watched.check("places of jobs", store::webhook_news::job_places(db, &[job])).await;
    watched.check("place of a workspace", store::webhook_news::workspace_place(db, WorkspaceId::create())).await;
    watched.check("outcome before", store::webhook_news::outcome_before(db, job, 7)).await;
    watched.check("missed before", store::webhook_news::missed_before(db, job, now())).await;
    watched.check("running runs", store::webhook_news::lock_running(db, vec![RunId::create()])).await;
    let plan = watched.check("official", store::webhook::list_official_deliveries(db, webhook, 10)).await;
    assert!(plan.iter().any(|line| line.contains("webhook_delivery_official")), "others are read: {plan:?}");
    assert_eq!(watched.broken.into_inner().unwrap(), Vec::<String>::new());
}
