//! Which runs a run of a schedule waits for.

use entity::run;
use entity::run::{RunState, Trigger};
use sea_orm::sea_query::SimpleExpr;
use sea_orm::{ColumnTrait, Condition};

/// Runs with `in_turn` wait until no older run that counts for the schedule is open. A backfill stays in the background: its runs wait
/// for all other ones, and its queued runs are not waited for.
pub(super) const ITS_TURN: &str = "(NOT run.in_turn OR NOT EXISTS (SELECT 1 FROM run other WHERE other.job_id = run.job_id \
     AND other.id <> run.id AND (other.trigger = 'SCHEDULE' OR other.counts_for_schedule) \
     AND other.state IN ('QUEUED', 'RUNNING') AND CASE WHEN run.backfill_id IS NULL \
     THEN other.number < run.number AND (other.backfill_id IS NULL OR other.state = 'RUNNING') \
     ELSE other.number < run.number OR other.backfill_id IS NULL END))";

/// The runs that the concurrency policy of a schedule counts.
pub(super) fn counted() -> Condition {
    let scheduled: SimpleExpr = run::Column::Trigger.eq(Trigger::Schedule);
    let background =
        Condition::all().add(run::Column::BackfillId.is_not_null()).add(run::Column::State.eq(RunState::Queued)).not();
    Condition::all().add(Condition::any().add(scheduled).add(run::Column::CountsForSchedule.eq(true))).add(background)
}
