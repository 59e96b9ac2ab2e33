//! Asks the server for orders, again and again, and carries them out.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use chrono::TimeDelta;

use super::agent_link::CallError;
use super::follow_step::follow;
use super::retry_pause::Backoff;
use super::running_agent::Agent;
use crate::runner::agent::protocol::{Ask, Orders, StepOrder, StopOrder};

/// For how long after a request that was answered a step may be started. Only later does the server count the agent as gone.
const PERMIT: TimeDelta = TimeDelta::seconds(55);

/// The pause before a step is removed again that could not be removed.
const PAUSE: Duration = Duration::from_secs(2);

/// Connects, and works until the server refuses the agent. Returns why.
pub(super) async fn run(agent: &Arc<Agent>) -> CallError {
    let mut backoff = Backoff::default();
    loop {
        let (kind, place) = (agent.engine.kind, agent.engine.place.as_str());
        match agent.link.connect((kind, place), agent.capacity).await {
            Ok(welcome) => {
                let (name, cluster) = (welcome.agent, welcome.cluster);
                tracing::info!(name, cluster, runner = kind, capacity = agent.capacity, "agent connected");
                break;
            }
            Err(CallError::Away(reason)) => {
                tracing::warn!(reason, "the server cannot be reached; will retry");
                backoff.pause().await;
            }
            Err(refused) => return refused,
        }
    }
    backoff.reset();
    loop {
        let (held, open) = agent.held.told();
        let free = agent.capacity.saturating_sub(open);
        let sent = agent.clock.now();
        let ask = Ask { session: uuid::Uuid::nil(), free, held, wait_seconds: 0 };
        let asked = tokio::select! {
            asked = agent.link.poll(ask) => asked,
            // The server repeats what is in an answer that nobody waits for.
            () = agent.held.changed.notified() => continue,
        };
        match asked {
            Ok(orders) => {
                if !backoff.is_first() {
                    tracing::info!("the server answers again");
                }
                backoff.reset();
                agent.fence.renewed(agent.clock.now(), sent + PERMIT);
                carry_out(agent, orders);
            }
            Err(CallError::Away(reason)) => {
                if backoff.is_first() {
                    tracing::warn!(reason, "the server cannot be reached; steps go on, and it is asked again");
                }
                backoff.pause().await;
            }
            Err(refused) => return refused,
        }
    }
}

fn carry_out(agent: &Arc<Agent>, orders: Orders) {
    let Orders { steps, stops, removals } = orders;
    for order in steps {
        begin(agent, order);
    }
    for order in stops {
        stop(agent, order);
    }
    for name in removals {
        remove(agent, name);
    }
}

#[expect(clippy::disallowed_methods, reason = "kept with the step, and ended when it is forgotten")]
fn begin(agent: &Arc<Agent>, order: StepOrder) {
    let Some(held) = agent.held.add(&order.name) else { return };
    tracing::info!(step = order.name, starts = order.step.is_some(), "step taken");
    let task = tokio::spawn(follow(Arc::clone(agent), Arc::clone(&held), order));
    held.follow(task.abort_handle());
}

#[expect(clippy::disallowed_methods, reason = "ends when the runner has received the request")]
fn stop(agent: &Arc<Agent>, StopOrder { name, grace_seconds }: StopOrder) {
    let Some(held) = agent.held.find(&name) else { return };
    held.grace_seconds.store(grace_seconds, Ordering::SeqCst);
    held.stopping.store(true, Ordering::SeqCst);
    tracing::info!(step = name, grace_seconds, "step is being stopped");
    let agent = Arc::clone(agent);
    tokio::spawn(async move {
        while let Err(error) = agent.engine.runner.stop(&name, Duration::from_secs(grace_seconds)).await {
            tracing::warn!(step = name, reason = error.0, "step could not be stopped; will retry");
            tokio::time::sleep(PAUSE).await;
            if agent.held.find(&name).is_none() {
                return;
            }
        }
        held.news.notify_one();
    });
}

#[expect(clippy::disallowed_methods, reason = "ends when the step is removed")]
fn remove(agent: &Arc<Agent>, name: String) {
    let held = agent.held.add(&name).or_else(|| agent.held.find(&name));
    let Some(held) = held else { return };
    if held.removing.swap(true, Ordering::SeqCst) {
        return;
    }
    // It no longer counts, whether its end was reported or not.
    held.reported.store(true, Ordering::SeqCst);
    held.abort();
    let agent = Arc::clone(agent);
    tokio::spawn(async move {
        while let Err(error) = agent.engine.runner.remove(&name).await {
            tracing::warn!(step = name, reason = error.0, "step could not be removed; will retry");
            tokio::time::sleep(PAUSE).await;
        }
        let mut backoff = Backoff::default();
        // Any other answer ends the agent.
        while let Err(CallError::Away(_)) = agent.link.removed(vec![name.clone()]).await {
            backoff.pause().await;
        }
        agent.held.forget(&name);
    });
}
