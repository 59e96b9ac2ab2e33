//! Orders for agents: an agent introduces itself, and then asks again and again what it has to do.

use std::sync::Arc;
use std::time::Duration;

use entity::agent;
use entity::agent_step::{Model as Step, Wanted};
use poem::web::Data;
use poem::{Body, Request, Response, handler};
use tokio::time::Instant;

use super::agent_caller::{agent_of, answer, body_of, in_session, require_session};
use crate::app::App;
use crate::error::{Error, Result};
use crate::input::stored_text;
use crate::runner::agent::opened_spec;
use crate::runner::agent::protocol::{
    Ask, Hello, LONGEST_WAIT_SECONDS, MOST_CAPACITY, Orders, PROTOCOL, StepOrder, StopOrder, Welcome,
};
use crate::store;
use crate::store::agent::Introduction;

/// The longest text that an agent tells about itself, in characters.
const LONGEST: usize = 200;

/// How often the orders are read while an agent waits: another server may have written some.
const LOOK: Duration = Duration::from_secs(1);

/// Records who the agent is, and what became of the steps that it took elsewhere.
#[handler]
pub(super) async fn connect(Data(app): Data<&Arc<App>>, request: &Request, body: Body) -> Result<Response> {
    let agent = agent_of(app, request).await?;
    let Hello { protocol, session, version, runner, place, capacity } = body_of(body).await?;
    if protocol != PROTOCOL {
        return Err(Error::invalid(
            "protocol",
            format!("must be {PROTOCOL}, not {protocol}: use the version of the program that the server has"),
        ));
    }
    if !["docker", "process"].contains(&runner.as_str()) {
        return Err(Error::invalid("runner", "must be docker or process"));
    }
    if !(1..=MOST_CAPACITY).contains(&capacity) {
        return Err(Error::invalid("capacity", format!("must be between 1 and {MOST_CAPACITY}")));
    }
    stored_text::check_length("version", &version, LONGEST)?;
    stored_text::check_length("place", &place, LONGEST)?;
    let capacity = i32::try_from(capacity).map_err(Error::internal)?;
    let by = Introduction { session, place: place.clone(), version, runner, capacity };
    let now = app.clock.now();
    let lost = store::write(&app.db, async |tx| {
        store::agent::connect(tx, agent.id, by.clone(), now).await?;
        // Nobody at this place knows what became of them.
        store::agent_step::lose(tx, agent.id, Some(&place), now).await.map_err(Error::from)
    })
    .await?;
    tracing::info!(agent = %agent.id, name = agent.name, place, lost, "agent connected");
    if lost > 0 {
        app.wake.again();
    }
    app.wake.now();
    let cluster = store::cluster::by_id(&app.db, agent.cluster_id).await?;
    let cluster = cluster.map(|row| row.name).unwrap_or_default();
    answer(&Welcome { agent: agent.name, cluster })
}

#[handler]
pub(super) async fn poll(Data(app): Data<&Arc<App>>, request: &Request, body: Body) -> Result<Response> {
    let mut agent = agent_of(app, request).await?;
    let ask: Ask = body_of(body).await?;
    in_session(app, &agent, ask.session, app.clock.now()).await?;
    let deadline = Instant::now() + Duration::from_secs(ask.wait_seconds.min(LONGEST_WAIT_SECONDS));
    let mut woken = app.wake.listen_for_orders();
    loop {
        let orders = orders_for(app, &agent, &ask).await?;
        if !orders.is_empty() || Instant::now() >= deadline || app.shutdown.has_begun() {
            return answer(&orders);
        }
        tokio::select! {
            () = woken.wait() => {}
            () = tokio::time::sleep_until(deadline.min(Instant::now() + LOOK)) => {}
        }
        // The token may have been revoked, or another process may have replaced this one.
        agent = agent_of(app, request).await?;
        require_session(&agent, ask.session)?;
    }
}

/// What an agent has to do that it does not do yet.
async fn orders_for(app: &App, agent: &agent::Model, ask: &Ask) -> Result<Orders> {
    let now = app.clock.now();
    let mut rows = store::agent_step::of_agent(&app.db, agent.id).await?;
    let is_held = |row: &Step| ask.held.iter().any(|step| step.name == row.name);
    // Those that it took in an answer that was lost.
    let missing = rows.iter().filter(|row| !row.ended && row.wanted != Wanted::Remove && !is_held(row)).count() as u64;
    let limit = u64::from(ask.free.min(MOST_CAPACITY)).saturating_sub(missing);
    if limit > 0 && store::agent_step::has_free(&app.db, agent.cluster_id).await? {
        let place = agent.place.clone().unwrap_or_default();
        store::write(&app.db, async |tx| {
            // A removed agent takes nothing.
            if store::agent::lock(tx, agent.id).await?.is_none() {
                return Ok::<_, Error>(0);
            }
            store::agent_step::take(tx, (agent.id, &place), agent.cluster_id, limit, now).await.map_err(Error::from)
        })
        .await?;
        rows = store::agent_step::of_agent(&app.db, agent.id).await?;
    }
    let mut orders = Orders::default();
    for row in rows {
        let held = ask.held.iter().find(|step| step.name == row.name);
        match row.wanted {
            Wanted::Remove if held.is_some_and(|step| step.removing) => {}
            Wanted::Remove => orders.removals.push(row.name),
            _ if row.ended => {}
            Wanted::Start if held.is_none() => orders.steps.push(order(app, &row)?),
            Wanted::Start => {}
            // It is not started any more.
            Wanted::Stop if held.is_none() => {
                orders.steps.push(StepOrder { step: None, ..order(app, &row)? });
            }
            Wanted::Stop if held.is_some_and(|step| step.stopping) => {}
            Wanted::Stop => {
                let grace_seconds = row.grace_seconds.and_then(|seconds| u64::try_from(seconds).ok()).unwrap_or(0);
                orders.stops.push(StopOrder { name: row.name, grace_seconds });
            }
        }
    }
    Ok(orders)
}

fn order(app: &App, row: &Step) -> Result<StepOrder> {
    let step = opened_spec(&app.keys, row).map_err(Error::internal)?;
    Ok(StepOrder { name: row.name.clone(), lines: u64::try_from(row.lines).unwrap_or(0), step })
}
