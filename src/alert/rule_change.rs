//! Checks the content of a rule, and writes it to a row.

use entity::alert_rule::{Condition, Model, Reasons, Receivers, Severity, Target};
use entity::id::{AlertReceiverId, ClusterId, EnvironmentId, JobId, OrganizationId, ProjectId};
use entity::skipped_time::SkipReason;
use entity::{alert_receiver, cluster};
use sea_orm::{ActiveEnum as _, Iterable as _};

use crate::app::App;
use crate::engine::alert::{default_threshold, fits, name, needs_threshold, parse_span};
use crate::engine::faults::Faults;
use crate::engine::limits;
use crate::error::{Error, Result};
use crate::store;

/// The maximum number of receivers of a rule.
const RECEIVERS: usize = 20;
/// The most failures in a row that a rule counts.
const FAILURES: i32 = 100;
/// The longest time that a rule waits for a run, in seconds: a week.
const SECONDS: i32 = 7 * 86_400;
/// The longest time without a success: a year. Some jobs run once a quarter.
const SECONDS_OF_SUCCESS: i32 = 366 * 86_400;

/// A rule as somebody wants it. The names of its fields are those of the API.
#[derive(Debug)]
pub struct WantedRule {
    pub name: String,
    pub description: String,
    pub tag: String,
    /// The condition, or why there is none.
    pub condition: Result<Condition>,
    pub threshold: Option<f64>,
    /// The names of the reasons that a rule about skipped times is about.
    pub reasons: Option<Vec<String>>,
    pub times_p95: Option<f64>,
    /// The operator and the function of the official body.
    pub operator: Option<String>,
    pub function: Option<String>,
    /// A time span of ISO 8601.
    pub for_duration: String,
    pub severity: Severity,
    pub enabled: bool,
    pub receivers: Vec<AlertReceiverId>,
    pub summary: Option<String>,
    pub runbook_url: Option<String>,
}

/// Which jobs a new rule covers, and how the caller calls the field that says so.
#[derive(Clone, Debug)]
pub enum WantedTarget {
    Organization,
    /// The jobs with a label: its key and its value.
    Label(Option<String>, Option<String>),
    Project(ProjectId, &'static str),
    Cluster(ClusterId, &'static str),
    Environment(EnvironmentId, &'static str),
    Job(JobId, &'static str),
}

/// Writes the content of a rule to a row.
/// `known` are the receivers of the organization.
pub(super) fn apply_rule(known: &[alert_receiver::Model], wanted: WantedRule, mut row: Model) -> Result<Model> {
    let WantedRule {
        name,
        description,
        tag,
        condition,
        threshold: wanted_threshold,
        reasons: wanted_reasons,
        times_p95: wanted_times,
        operator,
        function,
        for_duration,
        severity,
        enabled,
        receivers: wanted_receivers,
        summary,
        runbook_url,
    } = wanted;
    let mut faults = Faults::default();
    row.name = faults.note(limits::name("name", &name));
    row.description = faults.note(limits::text("description", description));
    row.tag = faults.note(limits::text("tag", tag));
    if let Ok(condition) = &condition {
        row.condition = *condition;
        row.threshold = faults.note(threshold(*condition, (wanted_threshold, wanted_times)));
        row.reasons = faults.note(reasons(*condition, wanted_reasons));
        row.times_p95 = faults.note(times_p95(*condition, wanted_times));
    }
    faults.note_or(condition, row.condition);
    row.operator = operator;
    row.function = function;
    let span = parse_span(&for_duration).map_err(|reason| Error::invalid("for_duration", reason));
    row.for_seconds = faults.note(span);
    row.severity = severity;
    row.enabled = enabled;
    row.summary = faults.note(summary.map(|text| limits::text("presentation.summary", text)).transpose());
    let runbook = runbook_url.filter(|url| !url.is_empty());
    row.runbook_url = faults.note(runbook.map(|url| limits::web_address("presentation.runbook_url", &url)).transpose());
    row.receivers = faults.note(receivers(known, wanted_receivers));
    faults.result()?;
    Ok(row)
}

/// A whole number in the bounds of the condition.
fn threshold(condition: Condition, (given, times_p95): (Option<f64>, Option<f64>)) -> Result<Option<i32>> {
    const FIELD: &str = "condition.threshold";
    if !needs_threshold(condition) {
        return Ok(None);
    }
    let Some(given) = given.filter(|given| *given != 0.0) else {
        // A rule that compares with earlier runs needs no limit.
        return Ok(default_threshold(condition).filter(|_| times_p95.is_none()));
    };
    let most = match condition {
        Condition::RunFailed => FAILURES,
        Condition::NoSuccessFor => SECONDS_OF_SUCCESS,
        _ => SECONDS,
    };
    let whole = (given.fract() == 0.0 && given >= 1.0 && given <= f64::from(most)).then(|| format!("{given:.0}"));
    let whole = whole.and_then(|text| text.parse().ok());
    whole.map(Some).ok_or_else(|| Error::invalid(FIELD, format!("must be a whole number between 1 and {most}")))
}

/// The names of reasons, for the condition that has any.
fn reasons(condition: Condition, given: Option<Vec<String>>) -> Result<Option<Reasons>> {
    const FIELD: &str = "condition.reasons";
    let Some(given) = given.filter(|given| !given.is_empty()) else { return Ok(None) };
    if condition != Condition::RunMissed {
        return Err(Error::invalid(FIELD, format!("belongs to {} only", name(Condition::RunMissed))));
    }
    let told = SkipReason::iter().filter(|reason| !reason.is_wanted());
    let known: Vec<String> = told.map(|reason| reason.to_value()).collect();
    if given.iter().any(|reason| !known.contains(reason)) {
        return Err(Error::invalid(FIELD, format!("must be some of {}", known.join(", "))));
    }
    Ok(Some(Reasons(known.into_iter().filter(|reason| given.contains(reason)).collect())))
}

fn times_p95(condition: Condition, given: Option<f64>) -> Result<Option<f64>> {
    const FIELD: &str = "condition.times_p95";
    match given {
        None => Ok(None),
        Some(_) if condition != Condition::RunTooLong => {
            Err(Error::invalid(FIELD, format!("belongs to {} only", name(Condition::RunTooLong))))
        }
        Some(times) if (1.0..=1000.0).contains(&times) => Ok(Some(times)),
        Some(_) => Err(Error::invalid(FIELD, "must be a number between 1 and 1000")),
    }
}

/// A rule cannot have a target that its condition is never about.
pub(super) fn check_target(row: &Model, field: &str) -> Result<()> {
    fits(row.condition, row.target).map_err(|reason| Error::invalid(field, reason))
}

fn receivers(known: &[alert_receiver::Model], mut ids: Vec<AlertReceiverId>) -> Result<Receivers> {
    const FIELD: &str = "alert_receiver_ids";
    if ids.len() > RECEIVERS {
        return Err(Error::invalid(FIELD, format!("must have at most {RECEIVERS} items")));
    }
    ids.sort_unstable();
    ids.dedup();
    match ids.iter().find(|id| !known.iter().any(|row| row.id == **id)) {
        Some(unknown) => Err(Error::invalid(FIELD, format!("{unknown} is no alert receiver of the organization"))),
        None => Ok(Receivers(ids)),
    }
}

/// Sets the cluster and the target of a new rule.
pub(super) async fn set_target(app: &App, cluster: ClusterId, target: WantedTarget, row: &mut Model) -> Result<()> {
    let organization = row.organization_id;
    row.cluster_id = own_cluster(app, organization, "cluster_id", cluster).await?;
    let missing = |field: &str, thing: &str| Error::invalid(field, format!("is no {thing} of the organization"));
    match target {
        WantedTarget::Organization => row.target = Target::Organization,
        WantedTarget::Label(key, value) => {
            row.target = Target::Label;
            set_label(key, value, row)?;
        }
        WantedTarget::Project(id, field) => {
            let found = store::project::by_id(&app.db, id).await?.filter(|found| found.organization_id == organization);
            row.project_id = Some(found.ok_or_else(|| missing(field, "project"))?.id);
            row.target = Target::Project;
        }
        WantedTarget::Cluster(id, field) => {
            row.cluster_id = own_cluster(app, organization, field, id).await?;
            row.target = Target::Cluster;
        }
        WantedTarget::Environment(id, field) => {
            let found = store::environment::by_id(&app.db, id).await?;
            let found = found.filter(|found| found.organization_id == organization);
            row.environment_id = Some(found.ok_or_else(|| missing(field, "environment"))?.id);
            row.target = Target::Environment;
        }
        WantedTarget::Job(id, field) => {
            let found = store::job::by_id(&app.db, id).await?;
            let found = found.filter(|found| found.organization_id == organization);
            row.job_id = Some(found.ok_or_else(|| missing(field, "job"))?.id);
            row.target = Target::Job;
        }
    }
    Ok(())
}

fn set_label(key: Option<String>, value: Option<String>, row: &mut Model) -> Result<()> {
    let mut faults = Faults::default();
    let mut part = |field: &str, text: Option<String>| {
        let text = text.ok_or_else(|| Error::invalid(field, "is required for the scope LABEL"));
        Some(faults.note(text.and_then(|text| limits::text(field, text))))
    };
    row.label_key = part("target.label_key", key);
    row.label_value = part("target.label_value", value);
    faults.result()
}

async fn own_cluster(app: &App, organization: OrganizationId, field: &str, id: ClusterId) -> Result<ClusterId> {
    let row: Option<cluster::Model> = store::cluster::by_id(&app.db, id).await?;
    let row = row.filter(|row| row.organization_id == organization);
    Ok(row.ok_or_else(|| Error::invalid(field, "is no cluster of the organization"))?.id)
}
