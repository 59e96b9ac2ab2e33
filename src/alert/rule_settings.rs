//! Creates, changes and deletes rules. Callers have checked that the requester may. Each change is one transaction with its event, whose
//! content the caller shows.

use entity::alert;
use entity::alert_rule::{Condition, Model, Reasons};
use entity::id::{ClusterId, OrganizationId};
use serde::Serialize;

use super::rule_change::{WantedRule, WantedTarget, apply_rule, check_target, set_target};
use crate::app::App;
use crate::engine::audit::{self, Change};
use crate::engine::news::alerts_end;
use crate::engine::requester::Requester;
use crate::error::{Error, Result};
use crate::store;

/// The maximum number of rules in an organization.
const MOST: u64 = 1000;

fn change(kind: &'static str, row: &Model) -> Change {
    Change::new(kind, "ORGANIZATION", row.id.0, &row.name).part("ALERT_RULE")
}

/// What decides about the alerts of a rule.
fn meaning(row: &Model) -> (Condition, Option<i32>, Option<Reasons>, Option<f64>, i32) {
    (row.condition, row.threshold, row.reasons.clone(), row.times_p95, row.for_seconds)
}

/// Creates a rule.
///
/// # Errors
/// `Invalid` with all faults; database errors.
pub async fn create_rule<S: Serialize>(
    app: &App,
    by: &Requester,
    (organization, cluster): (OrganizationId, ClusterId),
    (wanted, target): (WantedRule, WantedTarget),
    shown: impl Fn(Model, &[alert::Model]) -> S + Clone,
) -> Result<S> {
    let row = Model::new(organization, cluster, app.clock.now());
    let known = store::alert::list_receivers(&app.db, organization).await?;
    let mut row = apply_rule(&known, wanted, row)?;
    set_target(app, cluster, target, &mut row).await?;
    check_target(&row, "target")?;
    audit::write(app, by, organization, async |tx| {
        if store::alert::count_rules(tx, organization).await? >= MOST {
            return Err(Error::invalid("", format!("an organization can have at most {MOST} alert rules")));
        }
        let row = store::row::create(tx, row).await?;
        let change = change("CREATE", &row);
        let response = shown(row, &[]);
        let change = change.after(&response);
        Ok((response, change))
    })
    .await
}

/// Changes a rule. Its alerts end if it means something else now, which those are told who were told about them; its first receivers are
/// told those that hold. `wanted` gets the rule as it is stored, which may be another one than the caller has seen.
///
/// # Errors
/// `Invalid` with all faults; database errors.
pub async fn edit_rule<S: Serialize>(
    app: &App,
    by: &Requester,
    old: Model,
    wanted: impl Fn(&Model) -> Result<WantedRule>,
    shown: impl Fn(Model, &[alert::Model]) -> S + Clone,
) -> Result<S> {
    let now = app.clock.now();
    audit::write(app, by, old.organization_id, async |tx| {
        let known = store::alert::list_receivers(tx, old.organization_id).await?;
        let edit = |stored: Model| {
            let row = Model { updated_at: now, ..apply_rule(&known, wanted(&stored)?, stored)? };
            check_target(&row, "condition.promql")?;
            Ok(row)
        };
        let changed = store::row::change(tx, old.id, edit, Error::from).await?;
        let (before, row) = changed.ok_or(Error::NotFound("alert rule"))?;
        if meaning(&before) != meaning(&row) || !row.enabled {
            let alerts = store::alert::list_alerts_of_rules(tx, vec![row.id]).await?;
            alerts_end(tx, std::slice::from_ref(&before), &alerts, row.updated_at).await?;
            store::alert::delete_alerts_of_rule(tx, row.id).await?;
        } else if before.receivers.0.is_empty() && !row.receivers.0.is_empty() {
            store::alert::tell_unheard(tx, row.id, row.updated_at).await?;
        }
        let alerts = store::alert::list_alerts_of_rules(tx, vec![row.id]).await?;
        let change = change("UPDATE", &row).before(&shown(before, &[]));
        let response = shown(row, &alerts);
        let change = change.after(&response);
        Ok((response, change))
    })
    .await
}

/// Deletes a rule with its alerts and messages.
///
/// # Errors
/// Database errors.
pub async fn delete_rule<S: Serialize>(
    app: &App,
    by: &Requester,
    row: Model,
    shown: impl Fn(Model, &[alert::Model]) -> S + Clone,
) -> Result<()> {
    audit::write(app, by, row.organization_id, async |tx| {
        store::row::delete::<Model>(tx, row.id).await?;
        let change = change("DELETE", &row);
        Ok(((), change.before(&shown(row, &[]))))
    })
    .await
}
