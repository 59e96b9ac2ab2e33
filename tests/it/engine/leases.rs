//! A server owns its runs while its lease lasts: one row, however many runs it has.

use chrono::{DateTime, TimeDelta, Utc};
use entity::{run, server_lease};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait as _, EntityTrait as _, PaginatorTrait as _, QueryFilter as _};
use serde_json::json;
use uuid::Uuid;
use windlass::engine::tick;
use windlass::store;
use windlass::store::server_lease::Lease;

use super::poison::{Rejects, cure, poison, sql};
use crate::harness::TestApp;

/// Runs of this server.
async fn running(app: &TestApp, count: usize) {
    let it = app.furnished().await;
    let job = it.create(it.lifecycle("job")).await;
    for _ in 0..count {
        it.client.post(&format!("/job/{job}/run"), json!({})).await.expect(202);
    }
    app.settle().await;
    assert_eq!(owners(app).await, vec![Some(app.app.instance); count]);
}

async fn rows(app: &TestApp) -> Vec<run::Model> {
    run::Entity::find().all(&app.app.db).await.unwrap()
}

async fn owners(app: &TestApp) -> Vec<Option<Uuid>> {
    rows(app).await.into_iter().map(|row| row.lease_owner).collect()
}

async fn leases(app: &TestApp) -> Vec<Uuid> {
    server_lease::Entity::find().all(&app.app.db).await.unwrap().into_iter().map(|row| row.id).collect()
}

/// Makes all runs those of a server of release 0.2.
async fn of_an_older_server(app: &TestApp, until: DateTime<Utc>) -> Uuid {
    let older = Uuid::now_v7();
    run::Entity::update_many()
        .col_expr(run::Column::LeaseOwner, Expr::value(older))
        .col_expr(run::Column::LeaseUntil, Expr::value(until))
        .exec(&app.app.db)
        .await
        .unwrap();
    older
}

#[tokio::test]
async fn runs_are_taken_over_when_the_lease_of_their_server_expires() {
    let app = TestApp::new().await;
    running(&app, 3).await;
    let other = app.restarted().await;
    app.clock.forward(15);
    other.tick().await;
    assert_eq!(owners(&app).await, vec![Some(app.app.instance); 3], "the lease still holds");
    tick::renew(&app.app).await.unwrap();
    app.clock.forward(15);
    other.tick().await;
    assert_eq!(owners(&app).await, vec![Some(app.app.instance); 3], "it was renewed");
    app.clock.forward(1);
    other.tick().await;
    assert_eq!(owners(&app).await, vec![Some(other.app.instance); 3]);
    assert!(rows(&app).await.iter().all(|row| row.lease_until.is_none()));
    assert_eq!(app.runner.started().len(), 3, "nothing is started again");
}

/// Servers of release 0.2 take over what has a time of its own that has passed, and nothing else.
#[tokio::test]
async fn a_server_of_an_earlier_release_takes_over_no_run_of_a_newer_one() {
    let app = TestApp::new().await;
    running(&app, 2).await;
    let condition = run::Column::LeaseUntil.lt(app.clock.now() + TimeDelta::days(1000));
    assert_eq!(run::Entity::find().filter(condition).count(&app.app.db).await.unwrap(), 0);
}

#[tokio::test]
async fn runs_of_a_server_of_an_earlier_release_are_taken_over_by_their_own_leases() {
    let app = TestApp::new().await;
    running(&app, 2).await;
    let other = app.restarted().await;
    let older = of_an_older_server(&app, app.clock.now() + TimeDelta::seconds(30)).await;
    app.clock.forward(20);
    other.tick().await;
    assert_eq!(owners(&app).await, vec![Some(older); 2], "their leases still hold");
    app.clock.forward(11);
    other.tick().await;
    assert_eq!(owners(&app).await, vec![Some(other.app.instance); 2]);
    assert!(rows(&app).await.iter().all(|row| row.lease_until.is_none()), "they are like those of this server");
}

#[tokio::test]
async fn a_server_that_stops_or_starts_alone_ends_the_leases() {
    let app = TestApp::new().await;
    running(&app, 1).await;
    let other = app.restarted().await;
    store::server_lease::release(&app.app.db, app.app.instance, app.clock.now()).await.unwrap();
    other.tick().await;
    assert_eq!(owners(&app).await, [Some(other.app.instance)]);
    for until in [None, Some(app.clock.now() + TimeDelta::seconds(30))] {
        if let Some(until) = until {
            of_an_older_server(&app, until).await;
        }
        let next = app.restarted().await;
        next.tick().await;
        assert_ne!(owners(&app).await, [Some(next.app.instance)]);
        let now = app.clock.now();
        store::write(&next.app.db, async |tx| store::server_lease::end_all(tx, now).await).await.unwrap();
        next.tick().await;
        assert_eq!(owners(&app).await, [Some(next.app.instance)]);
    }
}

/// A renewal waits for a takeover, and then finds that the lease was broken.
#[tokio::test]
async fn a_lease_that_is_locked_for_a_takeover_is_not_renewed() {
    let app = TestApp::new().await;
    running(&app, 1).await;
    let permit = app.app.fence.permit(&app.app.clock);
    app.clock.forward(16);
    let (lease, now) = (app.app.instance, app.clock.now());
    let db = &app.app.db;
    let locked = store::write(db, async |tx| store::server_lease::lock_expired(tx, vec![lease], now).await);
    assert_eq!(locked.await.unwrap().len(), 1);
    tick::renew(&app.app).await.unwrap();
    assert!(!permit.holds(), "the lease had expired");
    let locked = store::write(db, async |tx| store::server_lease::lock_expired(tx, vec![lease], now).await);
    assert!(locked.await.unwrap().is_empty(), "whoever comes too late takes nothing");
}

#[tokio::test]
async fn leases_of_servers_that_are_gone_are_pruned() {
    let app = TestApp::new().await;
    running(&app, 1).await;
    let gone = Uuid::now_v7();
    let lease = Lease { owner: gone, until: app.clock.now() };
    store::server_lease::renew(&app.app.db, lease).await.unwrap();
    app.clock.forward(7200);
    tick::prune(&app.app, app.clock.now()).await;
    assert_eq!(leases(&app).await, [app.app.instance], "a server with runs keeps its lease");
}

/// A server slept for so long that its lease was deleted, claimed a run, and was killed.
#[tokio::test]
async fn a_run_whose_owner_has_no_lease_is_taken_over() {
    let app = TestApp::new().await;
    running(&app, 1).await;
    server_lease::Entity::delete_many().exec(&app.app.db).await.unwrap();
    let other = app.restarted().await;
    tick::prune(&other.app, app.clock.now()).await;
    app.clock.forward(14);
    other.tick().await;
    assert_eq!(owners(&app).await, [Some(app.app.instance)], "the owner has time to renew its lease");
    app.clock.forward(2);
    other.tick().await;
    assert_eq!(owners(&app).await, [Some(other.app.instance)]);
}

/// Runs of a server without a lease belong to nobody who can be missed, until its lease is added when rows are pruned.
#[tokio::test]
async fn a_server_that_cannot_get_a_lease_takes_nothing_over() {
    let app = TestApp::new().await;
    running(&app, 2).await;
    app.clock.forward(16);
    let other = app.restarted().await;
    let renews = format!("NEW.id = {}", sql(&app, &other.app.instance.to_string()));
    poison(&app, "INSERT ON server_lease", &renews, Rejects::Transaction).await;
    other.tick().await;
    assert_eq!(owners(&app).await, vec![Some(app.app.instance); 2]);
    cure(&app).await;
    other.tick().await;
    assert_eq!(owners(&app).await, vec![Some(other.app.instance); 2]);
    assert!(leases(&app).await.contains(&other.app.instance));
}
