//! Looks which agents are there, and which of their steps other servers were told about.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use entity::agent;
use entity::id::ClusterId;

use crate::app::App;
use crate::error::Result;
use crate::store;

/// For how long a report to another server is looked for; longer than a pause between two looks, and than clocks differ.
const LATELY: TimeDelta = TimeDelta::seconds(30);

/// Reads the agents of all clusters, and visits the runs that were reported to other servers.
pub(super) async fn run_once(app: &App, reported: &mut HashMap<String, DateTime<Utc>>) -> Result<()> {
    let clusters = store::agent::clusters(&app.db).await?;
    if clusters.is_empty() {
        app.runners.agents.set(HashMap::new());
        return Ok(());
    }
    let mut agents: HashMap<ClusterId, Vec<agent::Model>> = clusters.into_iter().map(|id| (id, Vec::new())).collect();
    let mut after = None;
    loop {
        let page = store::agent::list_after(&app.db, after).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.id);
        for agent in page {
            agents.entry(agent.cluster_id).or_default().push(agent);
        }
    }
    app.runners.agents.set(agents);
    let changed = store::agent_step::changed_since(&app.db, app.clock.now() - LATELY).await?;
    let changed: HashMap<String, DateTime<Utc>> = changed.into_iter().collect();
    for (name, at) in &changed {
        if reported.get(name) != Some(at) {
            app.wake.step(name);
        }
    }
    *reported = changed;
    Ok(())
}
