//! Creates and removes the agents of a cluster. Their tokens are shown once.

use entity::agent;
use entity::cluster::{ClusterKind, Model};
use entity::id::AgentId;
use serde_json::json;

use super::at;
use crate::app::App;
use crate::engine::audit::{self, Change};
use crate::engine::limits;
use crate::engine::requester::Requester;
use crate::error::{Error, Result};
use crate::secret::{self, Secret};
use crate::store;

const TARGET: &str = "CLUSTER";
/// The official name for what an agent is to the server: somebody with a token.
const PART: &str = "API_TOKEN";

/// The most agents of a cluster.
const MOST: usize = 100;

fn recorded(row: &agent::Model) -> serde_json::Value {
    json!({"id": row.id, "created_at": at(row.created_at), "name": row.name, "cluster_id": row.cluster_id})
}

/// Creates an agent of a cluster without a kubeconfig, and its token. With the first one, the cluster becomes one of agents.
///
/// # Errors
/// `Invalid`, which names the field; `Conflict` if the name is taken or the cluster is of another kind; database errors.
pub async fn create(app: &App, by: &Requester, cluster: Model, name: &str) -> Result<(agent::Model, Secret<String>)> {
    let now = app.clock.now();
    let token = secret::new_agent_token()?;
    let row = agent::Model {
        id: AgentId::create(),
        organization_id: cluster.organization_id,
        cluster_id: cluster.id,
        created_at: now,
        updated_at: now,
        name: limits::name("name", name)?,
        hash: secret::TokenHash::of(token.expose()).stored(),
        session: None,
        place: None,
        version: None,
        runner: None,
        capacity: None,
        seen_at: None,
    };
    let stored = audit::write(app, by, cluster.organization_id, async |tx| {
        let cluster = store::cluster::lock(tx, cluster.id).await?.ok_or(Error::NotFound("cluster"))?;
        match (cluster.kind, cluster.kubeconfig.is_some()) {
            (ClusterKind::Local, _) => {
                return Err(Error::Conflict("the local cluster is the server's machine, and needs no agent".into()));
            }
            (ClusterKind::Kubernetes, true) => {
                let text = "the server reaches this cluster by its kubeconfig; create another cluster for agents";
                return Err(Error::Conflict(text.into()));
            }
            (ClusterKind::Kubernetes, false) => {
                store::row::update(tx, Model { kind: ClusterKind::Agent, updated_at: now, ..cluster }).await?;
            }
            (ClusterKind::Agent, _) => {}
        }
        let others = store::agent::list_of(tx, row.cluster_id).await?;
        if others.len() >= MOST {
            return Err(Error::Conflict(format!("a cluster can have at most {MOST} agents")));
        }
        let key = entity::name_key(&row.name);
        if others.iter().any(|other| entity::name_key(&other.name) == key) {
            return Err(Error::Conflict("this cluster already has an agent with this name".into()));
        }
        let row = store::row::create(tx, row).await?;
        let change = Change::create(TARGET, row.id.0, &row.name).part(PART).after(&recorded(&row));
        Ok((row, change))
    })
    .await?;
    app.wake.now();
    Ok((stored, token))
}

/// Removes an agent, and revokes its token at once. The open steps that it has taken are lost.
///
/// # Errors
/// Database errors.
pub async fn remove(app: &App, by: &Requester, row: agent::Model) -> Result<()> {
    let now = app.clock.now();
    audit::write(app, by, row.organization_id, async |tx| {
        // Its requests that are under way end before this, or find no agent.
        store::agent::lock(tx, row.id).await?;
        store::agent_step::lose(tx, row.id, None, now).await?;
        store::agent_step::delete_removed(tx, row.id).await?;
        store::row::delete::<agent::Model>(tx, row.id).await?;
        Ok(((), Change::delete(TARGET, row.id.0, &row.name).part(PART).before(&recorded(&row))))
    })
    .await?;
    app.wake.orders();
    app.wake.now();
    Ok(())
}
