//! The keys that sealed values need, run numbers that no transaction holds, and indexes for retention and rare reads.

use sea_orm_migration::prelude::{DbErr, DeriveMigrationName, MigrationTrait, SchemaManager, async_trait};
use sea_orm_migration::sea_orm::{ConnectionTrait, DbBackend};

use crate::m0001_initial::{index, table, text, time};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// `run_job_id_number_state` replaces `run_job_id_number`: the end of a run reads the states of thousands of older ones.
const INDEXES: [&str; 6] = [
    "CREATE INDEX run_job_id_number_state ON run (job_id, number, state)",
    "DROP INDEX run_job_id_number",
    "CREATE INDEX deployment_finished_at ON deployment (finished_at) WHERE finished_at IS NOT NULL",
    "CREATE INDEX workspace_job_ended ON workspace_job (updated_at) \
     WHERE status NOT IN ('pending', 'queue', 'running', 'waitingApproval', 'approved')",
    "CREATE INDEX workspace_step_plan ON workspace_step (job_id) WHERE plan IS NOT NULL",
    "CREATE INDEX webhook_delivery_ended ON webhook_delivery (updated_at) WHERE state <> 'PENDING'",
];

/// Numbers for runs, taken from a sequence, which nobody has to wait for. A row of `counter` is locked until the transaction that took
/// a number ends. Servers of earlier releases still update that row; the trigger gives them numbers of the sequence.
const RUN_NUMBERS: [&str; 4] = [
    "DO $$ DECLARE last bigint; BEGIN \
       LOCK TABLE counter IN SHARE ROW EXCLUSIVE MODE; \
       SELECT value INTO last FROM counter WHERE name = 'run'; \
       EXECUTE format('CREATE SEQUENCE run_number_sequence START WITH %s', COALESCE(last, 0) + 1); \
     END $$",
    // The numbers of a block follow each other. The lock ends with the function, not with the transaction.
    "CREATE FUNCTION take_run_numbers(amount bigint) RETURNS bigint LANGUAGE plpgsql AS $$ \
     DECLARE first_number bigint; BEGIN \
       PERFORM pg_advisory_lock(7236840123955); \
       first_number := nextval('run_number_sequence'); \
       IF amount > 1 THEN PERFORM setval('run_number_sequence', first_number + amount - 1); END IF; \
       PERFORM pg_advisory_unlock(7236840123955); \
       RETURN first_number; \
     EXCEPTION WHEN OTHERS OR query_canceled THEN \
       PERFORM pg_advisory_unlock(7236840123955); \
       RAISE; \
     END $$",
    "CREATE FUNCTION counter_of_runs() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
       IF NEW.value > OLD.value THEN \
         NEW.value := take_run_numbers(NEW.value - OLD.value) + (NEW.value - OLD.value) - 1; \
       END IF; \
       RETURN NEW; \
     END $$",
    "CREATE TRIGGER counter_of_runs BEFORE UPDATE ON counter FOR EACH ROW WHEN (OLD.name = 'run') \
     EXECUTE FUNCTION counter_of_runs()",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut id = text("id");
        id.primary_key();
        manager.create_table(table("seal_key", vec![id, time("created_at")])).await?;
        for index in [
            index("event", &["created_at"]),
            index("event", &["organization_id", "created_at", "id"]),
            index("event", &["organization_id", "kind", "id"]),
            index("event", &["organization_id", "target", "id"]),
            index("event", &["organization_id", "target_id", "id"]),
            index("event", &["organization_id", "sub_target", "id"]),
            index("event", &["organization_id", "triggered_by", "id"]),
            index("event", &["organization_id", "origin", "id"]),
            index("event", &["organization_id", "project_id", "id"]),
            index("event", &["organization_id", "environment_id", "id"]),
            index("state_version", &["created_at"]),
            index("project_rule", &["organization_id"]),
            index("project_rule", &["cluster_id"]),
        ] {
            manager.create_index(index).await?;
        }
        let db = manager.get_connection();
        for sql in INDEXES {
            db.execute_unprepared(sql).await?;
        }
        if db.get_database_backend() == DbBackend::Postgres {
            for sql in RUN_NUMBERS {
                db.execute_unprepared(sql).await?;
            }
        }
        Ok(())
    }
}
