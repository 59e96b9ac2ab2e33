//! Decides about what happened: which rules it concerns, and whether their receivers are told. The causes, the alerts and the messages
//! change in one transaction, so that nothing is lost and nothing is told twice.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use entity::alert_cause::{CauseKind, Model as Cause};
use entity::alert_rule::{Condition, Model as Rule};
use entity::id::{EnvironmentId, JobId, RunId};
use entity::skipped_time::SkipReason;
use entity::{alert, run};
use sea_orm::{ActiveEnum as _, DatabaseTransaction};
use uuid::Uuid;

use super::tell::{Outgoing, tell};
use crate::app::App;
use crate::engine::alert::{Decision, Known, Seen, covers, decide, is_caused_by};
use crate::error::{Error, Result};
use crate::liveness::passes::Pass;
use crate::store;
use crate::store::alert::{AlertKey, Place};

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
        let happened = causes.into_iter().map(Happened::from).collect();
        let outgoing = weigh(tx, &rules, happened).await?;
        tell(tx, &rules, outgoing, now).await?;
        store::alert::delete_causes(tx, ids).await?;
        Ok::<_, Error>(count)
    })
    .await
}

/// Something that happened to a job or an environment.
pub(super) struct Happened {
    /// The conditions that it fulfils.
    pub(super) fulfils: Fulfils,
    pub(super) environment: EnvironmentId,
    pub(super) job: Option<JobId>,
    pub(super) run: Option<RunId>,
    pub(super) at: DateTime<Utc>,
    pub(super) reason: Option<String>,
}

/// Which conditions something fulfils.
pub(super) enum Fulfils {
    Those(CauseKind),
    /// Those of one rule, which looked for it.
    Rule(entity::id::AlertRuleId),
}

impl From<Cause> for Happened {
    fn from(cause: Cause) -> Self {
        let Cause {
            id: _,
            organization_id: _,
            kind,
            environment_id,
            job_id,
            run_id,
            deployment_id: _,
            happened_at,
            reason,
        } = cause;
        let reason = match kind {
            CauseKind::TimeSkipped => reason.as_deref().map(|reason| skipped(reason, happened_at)),
            CauseKind::DeploymentFailed => Some("a deployment failed".into()),
            CauseKind::RunFailed => reason,
        };
        Self {
            fulfils: Fulfils::Those(kind),
            environment: environment_id,
            job: job_id,
            run: run_id,
            at: happened_at,
            reason,
        }
    }
}

/// Why a time was skipped.
fn skipped(reason: &str, at: DateTime<Utc>) -> String {
    let why = match SkipReason::try_from_value(&reason.to_owned()) {
        Ok(SkipReason::Overlap) => "the previous run had not ended",
        Ok(SkipReason::Missed) => "no server was running at that time",
        Ok(SkipReason::Paused) => "the schedule was paused",
        Ok(SkipReason::Calendar) => "a calendar removed it from the schedule",
        Ok(SkipReason::TooLate) => "its starting deadline had passed",
        Err(_) => "for a reason that this server does not know",
    };
    format!("the time {} was skipped ({reason}): {why}", at.format("%Y-%m-%d %H:%M:%S UTC"))
}

/// Decides for each rule that covers it, and stores the alerts. Returns what is told.
pub(super) async fn weigh(tx: &DatabaseTransaction, rules: &[Rule], happened: Vec<Happened>) -> Result<Outgoing> {
    let mut outgoing = Outgoing::default();
    if rules.is_empty() || happened.is_empty() {
        return Ok(outgoing);
    }
    let background = Background::read(tx, rules, &happened).await?;
    let mut alerts = background.alerts.clone();
    for one in &happened {
        let Some(place) = background.places.get(&one.environment) else { continue };
        let name = match one.job {
            Some(job) => background.jobs.get(&job).cloned(),
            None => Some(place.name.clone()),
        };
        let Some(name) = name else { continue };
        for rule in rules.iter().filter(|rule| concerns(rule, one, place)) {
            let subject = one.job.map_or(one.environment.0, |job| job.0);
            let known = alerts.get(&(rule.id, subject));
            let needed = usize::try_from(rule.threshold.unwrap_or(1)).unwrap_or(1);
            let in_a_row = match one.job {
                Some(job) if rule.condition == Condition::RunFailed && needed > 1 => {
                    store::alert::failed_in_a_row(tx, job, needed as u64).await?
                }
                _ => needed,
            };
            let lasts = TimeDelta::seconds(rule.for_seconds.into());
            let decision = decide(
                known.map(|row| Known { state: row.state, since: row.since, times: row.times, told_at: row.told_at }),
                Seen { condition: rule.condition, at: one.at, in_a_row, needed, lasts },
            );
            let is_new = known.is_none();
            let reason = one.reason.clone().or_else(|| background.reason(one.run));
            let row = alert_of(known, (rule, subject), one, &decision, reason);
            store::alert::save_alert(tx, row.clone(), is_new).await?;
            if decision.tells {
                outgoing.add(rule.id, &row, &name);
            }
            alerts.insert((rule.id, subject), row);
        }
    }
    Ok(outgoing)
}

/// Whether a rule of the organization is about it.
fn concerns(rule: &Rule, one: &Happened, place: &Place) -> bool {
    let fulfilled = match one.fulfils {
        Fulfils::Those(kind) => is_caused_by(rule.condition, kind),
        Fulfils::Rule(id) => id == rule.id,
    };
    fulfilled
        && rule.organization_id == place.organization
        && covers(rule, (place.project, place.cluster, one.environment, one.job))
}

fn alert_of(
    known: Option<&alert::Model>,
    (rule, subject): (&Rule, Uuid),
    one: &Happened,
    decision: &Decision,
    reason: Option<String>,
) -> alert::Model {
    let Decision { state, since, times, due_at, tells, why } = decision.clone();
    alert::Model {
        id: known.map_or_else(entity::id::AlertId::create, |row| row.id),
        rule_id: rule.id,
        subject_id: subject,
        environment_id: one.environment,
        job_id: one.job,
        run_id: one.run,
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

/// What is known about the jobs and environments that something happened to.
struct Background {
    places: HashMap<EnvironmentId, Place>,
    jobs: HashMap<JobId, String>,
    runs: HashMap<RunId, run::Model>,
    alerts: HashMap<AlertKey, alert::Model>,
}

impl Background {
    async fn read(tx: &DatabaseTransaction, rules: &[Rule], happened: &[Happened]) -> Result<Self> {
        let environments = happened.iter().map(|one| one.environment).collect();
        let jobs: Vec<JobId> = happened.iter().filter_map(|one| one.job).collect();
        let runs = happened.iter().filter_map(|one| one.run).collect();
        let mut subjects: Vec<Uuid> =
            happened.iter().map(|one| one.job.map_or(one.environment.0, |job| job.0)).collect();
        subjects.sort_unstable();
        subjects.dedup();
        let mut alerts = HashMap::new();
        for some in rules.chunks(500) {
            let ids = some.iter().map(|rule| rule.id).collect();
            let found = store::alert::list_alerts(tx, ids, subjects.clone()).await?;
            alerts.extend(found.into_iter().map(|row| ((row.rule_id, row.subject_id), row)));
        }
        let runs = store::run::list_by_ids(tx, runs).await?;
        Ok(Self {
            places: store::alert::places(tx, environments).await?,
            jobs: store::alert::job_names(tx, jobs).await?,
            runs: runs.into_iter().map(|row| (row.id, row)).collect(),
            alerts,
        })
    }

    /// Why a run failed.
    fn reason(&self, run: Option<RunId>) -> Option<String> {
        let run = self.runs.get(&run?)?;
        let code = run.exit_code.map(|code| format!("exit code {code}"));
        let parts: Vec<String> = [code, run.reason.clone()].into_iter().flatten().collect();
        (!parts.is_empty()).then(|| parts.join(", "))
    }
}
