//! Plans of workspace steps as they are shown.

use sea_orm_migration::prelude::{ColumnDef, ForeignKeyAction};
use sea_orm_migration::prelude::{DbErr, DeriveMigrationName, MigrationTrait, SchemaManager, async_trait};

use crate::m0001_initial::{id, index, integer, name, reference, table, time};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut step = id("step_id");
        step.primary_key();
        let mut sealed = ColumnDef::new(name("sealed"));
        sealed.blob().null();
        let columns = vec![step, id("workspace_id"), integer("job_id"), time("created_at"), integer("drift"), sealed];
        let mut plans = table("shown_plan", columns);
        plans.foreign_key(&mut reference("step_id", "workspace_step", ForeignKeyAction::Cascade));
        manager.create_table(plans).await?;
        manager.create_index(index("shown_plan", &["workspace_id", "created_at"])).await?;
        manager.create_index(index("shown_plan", &["job_id"])).await
    }
}
