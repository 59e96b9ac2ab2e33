//! Requests about schedules that need no deployment: pauses, times to skip, and backfills. Manual runs that count for a schedule.

use sea_orm_migration::prelude::{
    ColumnDef, DbErr, DeriveMigrationName, Index, MigrationTrait, SchemaManager, Table, async_trait,
};

use crate::m0001_initial::{cascade, id, name, optional_id, optional_text, optional_time, table, text, time};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut counts = ColumnDef::new(name("counts_for_schedule"));
        counts.boolean().null();
        for (called, column) in
            [("run", optional_id("backfill_id")), ("run", counts), ("skipped_time", optional_text("requested_by"))]
        {
            manager.alter_table(Table::alter().table(name(called)).add_column(column).to_owned()).await?;
        }
        let mut pause = table(
            "schedule_pause",
            vec![id("job_id"), time("paused_at"), optional_time("until"), text("requested_by")],
        );
        pause.primary_key(Index::create().col(name("job_id"))).foreign_key(&mut cascade("job_id", "job"));
        manager.create_table(pause).await?;
        let mut skip = table(
            "schedule_skip",
            vec![id("job_id"), time("scheduled_for"), time("requested_at"), text("requested_by")],
        );
        skip.primary_key(Index::create().col(name("job_id")).col(name("scheduled_for")))
            .foreign_key(&mut cascade("job_id", "job"));
        manager.create_table(skip).await
    }
}
