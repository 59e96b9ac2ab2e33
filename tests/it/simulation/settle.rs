//! The end of a simulated world: the faults stop, and everything ends.

use chrono::TimeDelta;
use entity::id::RunId;
use entity::{job_variables, run};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _};
use windlass::engine::tick;
use windlass::liveness::visits::Scope;

use super::world::World;

/// The rounds in which everything must end.
const ROUNDS: u32 = 400;
/// The first rounds, in which pauses between attempts pass in small steps.
const SMALL: u32 = 120;
/// The fewest rounds.
const FEWEST: u32 = 12;

impl World {
    /// Stops all faults and ticks until everything has ended. What cannot run ends too, with its reason, and harms nothing else.
    pub(super) async fn settle(&mut self) -> Result<(), String> {
        *self.engine.down.lock().unwrap() = false;
        *self.engine.broken.lock().unwrap() = false;
        for server in 0..self.servers.len() {
            self.go_on(server).await;
            self.finish_visits(server).await;
        }
        if !self.spoiled.is_empty() {
            // New runs of spoiled jobs come all the time.
            let earlier: Vec<RunId> = self.open().await.into_iter().map(|run| run.id).collect();
            self.rounds(&earlier).await?;
            self.mend().await;
        }
        self.rounds(&[]).await?;
        for server in &self.servers {
            while tick::plan(&server.app, self.now()).await.more {}
        }
        Ok(())
    }

    async fn open(&self) -> Vec<run::Model> {
        let open = run::Entity::find().filter(run::Column::State.is_in(["QUEUED", "RUNNING"]));
        open.all(&self.servers[0].app.db).await.unwrap()
    }

    /// Lets spoiled jobs run again.
    async fn mend(&mut self) {
        self.engine.refused.lock().unwrap().clear();
        for job in std::mem::take(&mut self.spoiled) {
            job_variables::Entity::delete_by_id(job).exec(&self.servers[0].app.db).await.unwrap();
        }
    }

    /// Ticks until the jobs that can run have no open run, and none of `earlier` is open.
    async fn rounds(&mut self, earlier: &[RunId]) -> Result<(), String> {
        let mut left = Vec::new();
        for round in 0..ROUNDS {
            for server in &self.servers {
                let now = self.now();
                while tick::plan(&server.app, now).await.more {}
                // Nobody reports news.
                tick::work_on(&server.app, Scope::Look, now).await;
            }
            self.workspaces.approve_all(&self.servers[0].app, self.now()).await;
            for name in self.engine.running() {
                self.engine.write(&name, "the end", self.now());
                self.engine.exit(&name, 0);
            }
            left = self.open().await;
            left.retain(|run| earlier.contains(&run.id) || !run.job_id.is_some_and(|job| self.spoiled.contains(&job)));
            // Before the clock moves, so that no scheduled time is left without a pass.
            let waiting = self.workspaces.open(&self.servers[0].app).await;
            if left.is_empty() && waiting == 0 && round > FEWEST && self.engine.running().is_empty() {
                return Ok(());
            }
            if round % 3 == 0 {
                self.wait(round);
            }
        }
        let left: Vec<String> =
            left.iter().map(|run| format!("{} {:?} {:?}", run.number, run.state, run.reason)).collect();
        Err(format!(
            "these never end: runs {left:?}, jobs of workspaces {}",
            self.workspaces.open(&self.servers[0].app).await
        ))
    }

    /// Lets leases expire and pauses end, in steps that pass no scheduled time unseen.
    fn wait(&self, round: u32) {
        let mut now = self.now.lock().unwrap();
        *now += TimeDelta::seconds(if round < SMALL { 10 } else { 60 });
        if round == SMALL / 2 {
            // A lease of a server that crashed while its clock was ahead.
            let highest = self.set_back.iter().map(|(_, from)| *from).max();
            *now = highest.map_or(*now, |highest| highest.max(*now));
        }
    }
}
