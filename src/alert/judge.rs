//! Decides about what happened: which rules it concerns, and whether their receivers are told. The causes, the alerts and the messages
//! change in one transaction, so that nothing is lost and nothing is told twice.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use entity::alert::AlertState;
use entity::alert_rule::{Condition, Model as Rule};
use entity::alert_silence::Model as Silence;
use entity::id::RunId;
use entity::{alert, run};
use sea_orm::DatabaseTransaction;
use uuid::Uuid;

use super::happened::Happened;
use super::subject::{Located, locate};
use crate::app::App;
use crate::engine::alert::{Decision, Known, Seen, covers, decide, silence_words, silenced, unheard};
use crate::engine::news::{Outgoing, run_reason, tell};
use crate::error::{Error, Result};
use crate::liveness::passes::Pass;
use crate::store;
use crate::store::alert::AlertKey;

/// How many causes one transaction decides about.
const BATCH: u64 = 200;

/// Decides about the oldest causes. Returns whether there may be more.
///
/// # Errors
/// Database errors.
pub(super) async fn judge(app: &App, now: DateTime<Utc>) -> Result<bool> {
    if !store::alert::any_cause(&app.db).await? {
        return Ok(false);
    }
    match judge_some(app, BATCH, now).await {
        Ok(count) => return Ok(count == BATCH),
        Err(error @ Error::Unavailable { .. }) => return Err(error),
        Err(_) => {}
    }
    // One of them cannot be decided about; the oldest is given up if it is this one.
    if let Err(error) = judge_some(app, 1, now).await {
        tracing::error!(?error, "a cause of alerts cannot be decided about; nobody is told about it");
        app.metrics.row_failed(Pass::Alerts.name());
        store::write(&app.db, async |tx| {
            let ids = store::alert::take_causes(tx, 1).await?.iter().map(|cause| cause.id).collect();
            store::alert::delete_causes(tx, ids).await.map_err(Error::from)
        })
        .await?;
    }
    Ok(true)
}

async fn judge_some(app: &App, limit: u64, now: DateTime<Utc>) -> Result<u64> {
    store::write(&app.db, async |tx| {
        let causes = store::alert::take_causes(tx, limit).await?;
        let count = causes.len() as u64;
        let ids = causes.iter().map(|cause| cause.id).collect();
        let mut organizations: Vec<_> = causes.iter().map(|cause| cause.organization_id).collect();
        organizations.sort_unstable();
        organizations.dedup();
        let rules = store::alert::lock_rules_of(tx, organizations).await?;
        let happened: Vec<Happened> = causes.into_iter().map(Happened::from).collect();
        let outgoing = weigh(tx, &rules, &happened, now).await?;
        tell(tx, &rules, outgoing, now).await?;
        store::alert::delete_causes(tx, ids).await?;
        Ok::<_, Error>(count)
    })
    .await
}

/// Decides for each rule that covers it, and stores the alerts. Returns what is told.
pub(super) async fn weigh(
    tx: &DatabaseTransaction,
    rules: &[Rule],
    happened: &[Happened],
    now: DateTime<Utc>,
) -> Result<Outgoing> {
    let mut outgoing = Outgoing::default();
    if rules.is_empty() || happened.is_empty() {
        return Ok(outgoing);
    }
    let background = Background::read(tx, rules, happened, now).await?;
    let mut alerts = background.alerts.clone();
    for one in happened {
        let subject = one.subject.id();
        let Some(located) = background.located.get(&subject) else { continue };
        for rule in rules.iter().filter(|rule| concerns(rule, one, located)) {
            let known = alerts.get(&(rule.id, subject));
            let decision = judged(tx, rule, one, known).await?;
            let decision = silenced(&background.silences, rule, &located.position, now)
                .map_or_else(|| unsuppressed(known, &decision), |silence| suppressed(known, &decision, silence))
                .unwrap_or(decision);
            let decision = if rule.receivers.0.is_empty() { unheard(decision) } else { decision };
            let is_new = known.is_none();
            let reason = one.reason.clone().or_else(|| background.reason(one.run));
            let row = alert_of(known, rule, one, &decision, reason);
            store::alert::save_alert(tx, row.clone(), is_new).await?;
            if decision.tells {
                outgoing.add(rule.id, &row, &located.name);
            }
            alerts.insert((rule.id, subject), row);
        }
    }
    Ok(outgoing)
}

/// Whether a rule of the organization is about it.
fn concerns(rule: &Rule, one: &Happened, located: &Located) -> bool {
    one.fulfils.has(rule) && rule.organization_id == located.organization && covers(rule, &located.position)
}

/// The decision without regard to silences.
async fn judged(
    tx: &DatabaseTransaction,
    rule: &Rule,
    one: &Happened,
    known: Option<&alert::Model>,
) -> Result<Decision> {
    let counts = rule.condition == Condition::RunFailed;
    let needed = usize::try_from(rule.threshold.filter(|_| counts).unwrap_or(1)).unwrap_or(1);
    let in_a_row = match one.subject.job() {
        Some(job) if needed > 1 => store::alert::failed_in_a_row(tx, job, needed as u64).await?,
        _ => needed,
    };
    let lasts = TimeDelta::seconds(rule.for_seconds.into());
    Ok(decide(
        known.map(|row| Known { state: row.state, since: row.since, times: row.times, told_at: row.told_at }),
        Seen { condition: rule.condition, at: one.at, since: one.since, in_a_row, needed, lasts },
    ))
}

fn is_suppressed(known: Option<&alert::Model>) -> bool {
    known.is_some_and(|row| row.state == AlertState::Suppressed)
}

/// What a silence makes of a decision: what would be told waits for its end.
fn suppressed(known: Option<&alert::Model>, decision: &Decision, silence: &Silence) -> Option<Decision> {
    let waits = decision.tells || (is_suppressed(known) && decision.state != AlertState::Pending);
    waits.then(|| Decision {
        state: AlertState::Suppressed,
        due_at: Some(silence.ends_at),
        tells: false,
        why: silence_words(silence),
        ..decision.clone()
    })
}

/// An alert that was suppressed is told when it is seen after the silence.
fn unsuppressed(known: Option<&alert::Model>, decision: &Decision) -> Option<Decision> {
    let tells = is_suppressed(known) && decision.state != AlertState::Pending && !decision.tells;
    tells.then(|| Decision {
        state: AlertState::Triggered,
        tells: true,
        why: "told, because its silence is over".into(),
        ..decision.clone()
    })
}

fn alert_of(
    known: Option<&alert::Model>,
    rule: &Rule,
    one: &Happened,
    decision: &Decision,
    reason: Option<String>,
) -> alert::Model {
    let Decision { state, since, times, due_at, tells, why } = decision.clone();
    let (workspace_id, workspace_job_id) = one.subject.workspace().unzip();
    alert::Model {
        id: known.map_or_else(entity::id::AlertId::create, |row| row.id),
        rule_id: rule.id,
        subject_id: one.subject.id(),
        environment_id: one.subject.environment(),
        job_id: one.subject.job(),
        run_id: one.run,
        workspace_id,
        workspace_job_id,
        cluster_id: one.subject.cluster(),
        state,
        since,
        seen_at: one.at,
        times,
        due_at,
        told_at: if tells { Some(one.at) } else { known.and_then(|row| row.told_at) },
        reason,
        decision: why,
    }
}

/// What is known about the subjects that something happened to.
struct Background {
    located: HashMap<Uuid, Located>,
    silences: Vec<Silence>,
    runs: HashMap<RunId, run::Model>,
    alerts: HashMap<AlertKey, alert::Model>,
}

impl Background {
    async fn read(tx: &DatabaseTransaction, rules: &[Rule], happened: &[Happened], now: DateTime<Utc>) -> Result<Self> {
        let runs = happened.iter().filter_map(|one| one.run).collect();
        let mut subjects: Vec<Uuid> = happened.iter().map(|one| one.subject.id()).collect();
        subjects.sort_unstable();
        subjects.dedup();
        let mut alerts = HashMap::new();
        for some in rules.chunks(500) {
            let ids = some.iter().map(|rule| rule.id).collect();
            let found = store::alert::list_alerts(tx, ids, subjects.clone()).await?;
            alerts.extend(found.into_iter().map(|row| ((row.rule_id, row.subject_id), row)));
        }
        let organizations = rules.iter().map(|rule| rule.organization_id).collect();
        let runs = store::run::list_by_ids(tx, runs).await?;
        Ok(Self {
            located: locate(tx, happened.iter().map(|one| one.subject)).await?,
            silences: store::alert::list_current_silences(tx, organizations, now).await?,
            runs: runs.into_iter().map(|row| (row.id, row)).collect(),
            alerts,
        })
    }

    /// Why a run failed.
    fn reason(&self, run: Option<RunId>) -> Option<String> {
        self.runs.get(&run?).and_then(run_reason)
    }
}
