//! Checks the content of a rule, and writes it to a row.

use entity::alert_rule::{Condition, Model, Reasons, Receivers, Target};
use entity::cluster;
use entity::id::{AlertReceiverId, ClusterId, EnvironmentId, JobId, OrganizationId, ProjectId};
use entity::skipped_time::SkipReason;
use sea_orm::{ActiveEnum as _, Iterable as _};

use super::rule_body::{
    AlertRuleCondition, AlertRuleConditionKind, AlertRuleEditRequest, AlertScope, AlertTarget, AlertTargetType,
};
use crate::api::wire::enum_name;
use crate::app::App;
use crate::engine::alert::{default_threshold, fits, name, needs_threshold, parse, parse_span};
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

/// Writes the content of a body to a row.
pub(super) async fn apply(app: &App, given: AlertRuleEditRequest, mut row: Model) -> Result<Model> {
    let AlertRuleEditRequest {
        name,
        description,
        tag,
        condition,
        for_duration,
        severity,
        enabled,
        alert_receiver_ids,
        presentation,
    } = given;
    let mut faults = Faults::default();
    row.name = faults.note(limits::name("name", &name));
    row.description = faults.note(limits::text("description", description));
    row.tag = faults.note(limits::text("tag", tag));
    let parsed = read_condition(&condition);
    if let Ok(condition_read) = &parsed {
        row.condition = *condition_read;
        row.threshold = faults.note(threshold(*condition_read, &condition));
        row.reasons = faults.note(reasons(*condition_read, condition.reasons));
        row.times_p95 = faults.note(times_p95(*condition_read, condition.times_p95));
    }
    faults.note_or(parsed, row.condition);
    row.operator = condition.operator.and_then(enum_name);
    row.function = condition.function.and_then(enum_name);
    let span = parse_span(&for_duration).map_err(|reason| Error::invalid("for_duration", reason));
    row.for_seconds = faults.note(span);
    row.severity = severity.into();
    row.enabled = enabled;
    row.summary = faults.note(presentation.summary.map(|text| limits::text("presentation.summary", text)).transpose());
    let runbook = presentation.runbook_url.filter(|url| !url.is_empty());
    row.runbook_url = faults.note(runbook.map(|url| limits::web_address("presentation.runbook_url", &url)).transpose());
    row.receivers = faults.note(receivers(app, row.organization_id, alert_receiver_ids).await);
    faults.result()?;
    Ok(row)
}

fn read_condition(given: &AlertRuleCondition) -> Result<Condition> {
    let parsed = parse(&given.promql);
    if given.kind == AlertRuleConditionKind::Custom {
        let names = parsed.err().unwrap_or_else(|| "is the name of a condition".into());
        let text = format!("must be BUILT, because this server evaluates no PromQL; condition.promql {names}");
        return Err(Error::invalid("condition.kind", text));
    }
    parsed.map_err(|reason| Error::invalid("condition.promql", reason))
}

/// A whole number in the bounds of the condition.
fn threshold(condition: Condition, of: &AlertRuleCondition) -> Result<Option<i32>> {
    const FIELD: &str = "condition.threshold";
    if !needs_threshold(condition) {
        return Ok(None);
    }
    let Some(given) = of.threshold.filter(|given| *given != 0.0) else {
        // A rule that compares with earlier runs needs no limit.
        return Ok(default_threshold(condition).filter(|_| of.times_p95.is_none()));
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
    // Pausing is no accident.
    let told = SkipReason::iter().filter(|reason| *reason != SkipReason::Paused);
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

async fn receivers(app: &App, organization: OrganizationId, ids: Vec<uuid::Uuid>) -> Result<Receivers> {
    const FIELD: &str = "alert_receiver_ids";
    if ids.len() > RECEIVERS {
        return Err(Error::invalid(FIELD, format!("must have at most {RECEIVERS} items")));
    }
    let mut ids: Vec<AlertReceiverId> = ids.into_iter().map(AlertReceiverId).collect();
    ids.sort_unstable();
    ids.dedup();
    let found = store::alert::list_receivers_by_ids(&app.db, ids.clone()).await?;
    let is_ours = |id: &AlertReceiverId| found.iter().any(|row| row.id == *id && row.organization_id == organization);
    match ids.iter().find(|id| !is_ours(id)) {
        Some(unknown) => Err(Error::invalid(FIELD, format!("{unknown} is no alert receiver of the organization"))),
        None => Ok(Receivers(ids)),
    }
}

/// Sets the cluster and the target of a new rule.
pub(super) async fn set_target(app: &App, cluster: uuid::Uuid, given: AlertTarget, row: &mut Model) -> Result<()> {
    let organization = row.organization_id;
    row.cluster_id = own_cluster(app, organization, "cluster_id", cluster).await?;
    let missing = |field: &str, thing: &str| Error::invalid(field, format!("is no {thing} of the organization"));
    if let Some(scope) = given.scope {
        row.target = match scope {
            AlertScope::Organization => Target::Organization,
            AlertScope::Project => Target::Project,
            AlertScope::Label => Target::Label,
        };
        if scope == AlertScope::Label {
            set_label(given.label_key, given.label_value, row)?;
        } else if scope == AlertScope::Project {
            let id = ProjectId(given.scope_id.ok_or_else(|| Error::invalid("target.scope_id", "is required"))?);
            let found = store::project::by_id(&app.db, id).await?.filter(|found| found.organization_id == organization);
            row.project_id = Some(found.ok_or_else(|| missing("target.scope_id", "project"))?.id);
        } else if given.scope_id.is_some_and(|id| id != organization.0) {
            return Err(missing("target.scope_id", "organization"));
        }
        return Ok(());
    }
    match given.target_type {
        AlertTargetType::Cluster => {
            row.cluster_id = own_cluster(app, organization, "target.target_id", given.target_id).await?;
            row.target = Target::Cluster;
        }
        AlertTargetType::Environment => {
            let found = store::environment::by_id(&app.db, EnvironmentId(given.target_id)).await?;
            let found = found.filter(|found| found.organization_id == organization);
            row.environment_id = Some(found.ok_or_else(|| missing("target.target_id", "environment"))?.id);
            row.target = Target::Environment;
        }
        AlertTargetType::Job | AlertTargetType::Cronjob => {
            let found = store::job::by_id(&app.db, JobId(given.target_id)).await?;
            let found = found.filter(|found| found.organization_id == organization);
            row.job_id = Some(found.ok_or_else(|| missing("target.target_id", "job"))?.id);
            row.target = Target::Job;
        }
        AlertTargetType::Application
        | AlertTargetType::Container
        | AlertTargetType::Helm
        | AlertTargetType::Terraform => {
            let text = "must be CLUSTER, ENVIRONMENT, JOB or CRONJOB, because this server has no other services";
            return Err(Error::invalid("target.target_type", text));
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

async fn own_cluster(app: &App, organization: OrganizationId, field: &str, id: uuid::Uuid) -> Result<ClusterId> {
    let row: Option<cluster::Model> = store::cluster::by_id(&app.db, ClusterId(id)).await?;
    let row = row.filter(|row| row.organization_id == organization);
    Ok(row.ok_or_else(|| Error::invalid(field, "is no cluster of the organization"))?.id)
}
