//! Each query about agents and their steps uses indexes: agents ask again and again.

use entity::agent_step::{Model, Wanted};
use entity::id::{AgentId, AgentStepId, ClusterId};
use windlass::store;
use windlass::store::agent_step;

use super::{Watched, now};

fn step() -> Model {
    Model {
        id: AgentStepId::create(),
        name: "step".into(),
        cluster_id: ClusterId::create(),
        agent_id: None,
        created_at: now(),
        updated_at: now(),
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

#[tokio::test]
async fn orders_and_reports_are_found_by_indexes() {
    let folder = tempfile::tempdir().unwrap();
    let watched = Watched::new(&folder).await;
    let db = &watched.db;
    let (agent, cluster, row) = (AgentId::create(), ClusterId::create(), step());
    watched.check("agent by hash", store::agent::by_hash(db, "x")).await;
    watched.check("agents of a cluster", store::agent::list_of(db, cluster)).await;
    watched.check("all agents", store::agent::list_after(db, Some(agent))).await;
    watched.check("seen", store::agent::seen(db, agent, now())).await;
    watched.check("by_name", agent_step::by_name(db, "x")).await;
    watched.check("names_in", agent_step::names_in(db, cluster)).await;
    watched.check("of_agent", agent_step::of_agent(db, agent)).await;
    watched.check("count_open", agent_step::count_open(db, agent)).await;
    watched.check("has_free", agent_step::has_free(db, cluster)).await;
    watched.check("take", agent_step::take(db, (agent, "here"), cluster, 5, now())).await;
    watched.check("stop", agent_step::stop(db, &row, (5, Vec::new()), now())).await;
    watched.check("remove", agent_step::remove(db, &row, now())).await;
    watched.check("removed", agent_step::removed(db, agent, &["x".into()])).await;
    watched.check("lose", agent_step::lose(db, agent, Some("here"), now())).await;
    watched.check("delete_removed", agent_step::delete_removed(db, agent)).await;
    watched.check("log_bytes", agent_step::log_bytes(db, row.id)).await;
    watched.check("log_after", agent_step::log_after(db, row.id, 5)).await;
    watched.check("has_log_before", agent_step::has_log_before(db, row.id, 5)).await;
    watched.check("delete_log_before", agent_step::delete_log_before(db, row.id, 5)).await;
    watched.check("changed_since", agent_step::changed_since(db, now())).await;
    assert_eq!(watched.broken.into_inner().unwrap(), Vec::<String>::new());
}
