//! The runner interface of a cluster of agents, over the rows of their orders and reports.

use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use entity::agent_step::{Model, Wanted};
use entity::id::{AgentStepId, ClusterId};
use sea_orm::{DatabaseConnection, DbErr};

use super::agent_place;
use super::order_text::{opened_lines, opened_outputs, opened_report, sealed_report, sealed_spec};
use super::presence::{Presence, is_here, presence};
use super::protocol::{StepReport, WireState};
use super::wire_step::WireStep;
use crate::clock::Clock;
use crate::liveness::wake::Wake;
use crate::runner::interface::{OutputError, Runner, Target, Unavailable};
use crate::runner::line::{BATCH_BYTES, Line, Lines};
use crate::runner::step_spec::StepSpec;
use crate::runner::step_state::{StepState, StepTimes};
use crate::secret::KeyRing;
use crate::store;

/// Runs steps by the agents of one cluster.
pub struct AgentRunner {
    cluster: ClusterId,
    db: DatabaseConnection,
    keys: KeyRing,
    clock: Clock,
    wake: Wake,
}

fn failed(error: DbErr) -> Unavailable {
    Unavailable(format!("the database cannot be used: {error}"))
}

impl AgentRunner {
    #[must_use]
    pub fn new(cluster: ClusterId, (db, keys): (DatabaseConnection, KeyRing), clock: Clock, wake: Wake) -> Self {
        Self { cluster, db, keys, clock, wake }
    }

    async fn find(&self, name: &str) -> Result<Option<Model>, Unavailable> {
        store::agent_step::by_name(&self.db, name).await.map_err(failed)
    }

    /// A step that is not to be removed.
    async fn wanted(&self, name: &str) -> Result<Option<Model>, Unavailable> {
        Ok(self.find(name).await?.filter(|row| row.wanted != Wanted::Remove))
    }

    async fn store_order(&self, row: Model) -> Result<(), Unavailable> {
        let stored = store::write(&self.db, async |tx| store::agent_step::create(tx, row.clone()).await);
        stored.await.map_err(failed)?;
        self.wake.orders();
        Ok(())
    }

    fn order(&self, name: &str) -> Model {
        let now = self.clock.now();
        Model {
            id: AgentStepId::create(),
            name: name.to_owned(),
            cluster_id: self.cluster,
            agent_id: None,
            created_at: now,
            updated_at: now,
            wanted: Wanted::Start,
            grace_seconds: None,
            place: None,
            spec: None,
            report: None,
            ended: false,
            lost: false,
            lines: 0,
            log_ended: false,
            outputs: None,
        }
    }

    /// The stored report of a step that ends without an agent.
    fn end_without_agent(&self, id: AgentStepId, reason: &str) -> Result<Vec<u8>, Unavailable> {
        let report = StepReport {
            name: String::new(),
            state: WireState::CannotStart { reason: reason.to_owned() },
            started_at: None,
            finished_at: None,
            outputs: Vec::new(),
        };
        sealed_report(&self.keys, id, &report).map_err(Unavailable)
    }

    /// Why the agent of a step does not report; none if it does.
    async fn silence(&self, row: &Model) -> Result<Option<Unavailable>, Unavailable> {
        let Some(id) = row.agent_id else { return Ok(None) };
        let agent = store::agent::by_id(&self.db, id).await.map_err(failed)?;
        Ok(agent.filter(|agent| !is_here(agent, self.clock.now())).map(|agent| {
            let at = agent.seen_at.unwrap_or(row.created_at).format("%Y-%m-%d %H:%M:%S UTC");
            Unavailable(format!("the agent {:?} has not been heard of since {at}", agent.name))
        }))
    }

    /// The state of a step that nobody has taken.
    async fn waiting(&self) -> Result<StepState, Unavailable> {
        let agents = store::agent::list_of(&self.db, self.cluster).await.map_err(failed)?;
        let reason = match presence(&agents, self.clock.now()) {
            Presence::Here(_) => "all agents of the cluster are busy".to_owned(),
            Presence::Gone(reason) => reason,
            Presence::Never | Presence::Unknown => "no agent of the cluster has ever connected".to_owned(),
        };
        Ok(StepState::Starting { reason: Some(reason) })
    }
}

#[async_trait]
impl Runner for AgentRunner {
    fn target(&self) -> Target {
        Target::Agent(self.cluster)
    }

    async fn place(&self) -> Result<String, Unavailable> {
        Ok(agent_place::place(self.cluster))
    }

    async fn start(&self, step: &StepSpec) -> Result<(), Unavailable> {
        if self.find(&step.name).await?.is_some() {
            return Ok(());
        }
        let row = self.order(&step.name);
        let row = match WireStep::of(step) {
            Ok(wire) => Model { spec: Some(sealed_spec(&self.keys, row.id, &wire).map_err(Unavailable)?), ..row },
            Err(reason) => {
                let report = self.end_without_agent(row.id, &reason)?;
                Model { report: Some(report), ended: true, log_ended: true, ..row }
            }
        };
        if !step.may_start() {
            return Err(Unavailable("this server has lost its leases and will check again before the start".into()));
        }
        self.store_order(row).await
    }

    async fn poll(&self, name: &str) -> Result<StepState, Unavailable> {
        let Some(row) = self.wanted(name).await? else { return Ok(StepState::Unknown) };
        if row.lost {
            return Ok(StepState::Lost);
        }
        let report = opened_report(&self.keys, &row).map_err(Unavailable)?;
        match report {
            Some(report) if row.ended => return Ok(report.state.into()),
            None if row.agent_id.is_none() => return self.waiting().await,
            _ => {}
        }
        if let Some(silence) = self.silence(&row).await? {
            return Err(silence);
        }
        Ok(report.map_or(StepState::Starting { reason: None }, |report| report.state.into()))
    }

    async fn times(&self, name: &str) -> Result<StepTimes, Unavailable> {
        let Some(row) = self.wanted(name).await? else { return Ok(StepTimes::default()) };
        let report = opened_report(&self.keys, &row).map_err(Unavailable)?;
        Ok(report.map(|report| report.times()).unwrap_or_default())
    }

    async fn stop(&self, name: &str, grace: Duration) -> Result<(), Unavailable> {
        let Some(row) = self.wanted(name).await? else { return Ok(()) };
        if row.wanted == Wanted::Stop || row.ended {
            return Ok(());
        }
        let report = self.end_without_agent(row.id, "the step was stopped before an agent took it")?;
        let grace = i32::try_from(grace.as_secs()).unwrap_or(i32::MAX);
        let now = self.clock.now();
        let stopped =
            store::write(&self.db, async |tx| store::agent_step::stop(tx, &row, (grace, report.clone()), now).await);
        stopped.await.map_err(failed)?;
        self.wake.orders();
        Ok(())
    }

    async fn logs(&self, name: &str, skip: u64, limit: usize) -> Result<Lines, Unavailable> {
        let Some(row) = self.wanted(name).await? else { return Ok(Lines { lines: Vec::new(), end: true }) };
        let skip_rows = i64::try_from(skip).unwrap_or(i64::MAX);
        let pieces = store::agent_step::log_after(&self.db, row.id, skip_rows).await.map_err(failed)?;
        if store::agent_step::has_log_before(&self.db, row.id, skip_rows).await.map_err(failed)? {
            // It is stored with the run.
            let done =
                store::write(&self.db, async |tx| store::agent_step::delete_log_before(tx, row.id, skip_rows).await);
            done.await.map_err(failed)?;
        }
        let (mut lines, mut bytes, mut next): (Vec<Line>, usize, i64) = (Vec::new(), 0, skip_rows);
        'pieces: for piece in pieces {
            let opened = opened_lines(&self.keys, row.id, &piece.sealed).map_err(Unavailable)?;
            let known = usize::try_from(skip_rows.saturating_sub(piece.first)).unwrap_or(0);
            for line in opened.into_iter().skip(known) {
                if lines.len() >= limit || bytes >= BATCH_BYTES {
                    break 'pieces;
                }
                let line = Line::from(line);
                bytes += line.bytes();
                lines.push(line);
                next += 1;
            }
        }
        Ok(Lines { lines, end: row.log_ended && next >= row.lines })
    }

    async fn output(&self, name: &str, file: &str, most: u64) -> Result<Option<Vec<u8>>, OutputError> {
        let Some(row) = self.wanted(name).await? else { return Ok(None) };
        let outputs = opened_outputs(&self.keys, &row).map_err(OutputError::Unavailable)?;
        let Some(found) = outputs.into_iter().find(|output| output.file == file) else { return Ok(None) };
        if let Some(reason) = found.refused {
            return Err(OutputError::Refused(reason));
        }
        let Some(content) = found.content else { return Ok(None) };
        let invalid = |_| OutputError::Refused(format!("the agent sent {file} in a form that is not base64"));
        let mut content = STANDARD.decode(content).map_err(invalid)?;
        content.truncate(usize::try_from(most + 1).unwrap_or(usize::MAX));
        Ok(Some(content))
    }

    async fn remove(&self, name: &str) -> Result<(), Unavailable> {
        let Some(row) = self.wanted(name).await? else { return Ok(()) };
        let now = self.clock.now();
        let removed = store::write(&self.db, async |tx| store::agent_step::remove(tx, &row, now).await);
        removed.await.map_err(failed)?;
        self.wake.orders();
        Ok(())
    }

    async fn list(&self) -> Result<Vec<String>, Unavailable> {
        store::agent_step::names_in(&self.db, self.cluster).await.map_err(failed)
    }

    async fn close(&self) {}
}
