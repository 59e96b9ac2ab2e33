//! What a loop has seen of some tables is asked for again when they change, and only then.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use entity::webhook;
use sea_orm::{
    ConnectionTrait as _, DatabaseConnection, DbBackend, EntityTrait as _, PaginatorTrait as _, TransactionTrait as _,
};
use windlass::store;
use windlass::store::kept_glance::KeptGlance;
use windlass::store::row_changes::Watched;

use crate::harness::{TestApp, id};
use crate::world;

/// A glance at the number of webhooks, which counts its queries.
struct Glance<'a> {
    db: &'a DatabaseConnection,
    kept: KeptGlance<u64>,
    queries: AtomicUsize,
}

impl<'a> Glance<'a> {
    fn of(db: &'a DatabaseConnection) -> Self {
        Self { db, kept: KeptGlance::of(db, &[Watched::Webhook]), queries: AtomicUsize::new(0) }
    }

    async fn webhooks(&mut self) -> u64 {
        let (db, queries) = (self.db, &self.queries);
        let count = async || {
            queries.fetch_add(1, Ordering::SeqCst);
            webhook::Entity::find().count(db).await
        };
        self.kept.get(count).await.unwrap()
    }

    /// How many queries there were since the last call.
    fn queries(&self) -> usize {
        self.queries.swap(0, Ordering::SeqCst)
    }
}

#[tokio::test]
async fn a_loop_asks_again_after_a_change() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let webhooks = format!("/organization/{}/webhook", it.organization);
    let mut glance = Glance::of(&app.app.db);
    assert_eq!((glance.webhooks().await, glance.queries()), (0, 1));
    for round in 1..=3 {
        it.client.post(&webhooks, world::webhook()).await.expect(201);
        assert_eq!((glance.webhooks().await, glance.queries()), (round, 1), "it was created");
    }
    let more = id(&it.client.post(&webhooks, world::webhook()).await.expect(201));
    it.client.delete(&format!("{webhooks}/{more}")).await.expect(204);
    assert_eq!((glance.webhooks().await, glance.queries()), (3, 1), "it was deleted");

    // Nobody may keep what was read beside a transaction that has not ended.
    for commits in [false, true] {
        let transaction = app.app.db.begin().await.unwrap();
        transaction.execute_unprepared("DELETE FROM webhook WHERE enabled").await.unwrap();
        assert_eq!(glance.webhooks().await, 3, "the transaction has not ended");
        if commits {
            transaction.commit().await.unwrap()
        } else {
            transaction.rollback().await.unwrap()
        }
        assert_eq!(glance.webhooks().await, if commits { 0 } else { 3 });
    }

    // Its connection is back by then.
    tokio::time::sleep(Duration::from_millis(200)).await;
    glance.webhooks().await;
    glance.queries();
    it.create(it.lifecycle("job")).await;
    for _ in 0..10 {
        assert_eq!(glance.webhooks().await, 0);
    }
    // Other servers may change a PostgreSQL database at any time.
    let expected = if app.app.db.get_database_backend() == DbBackend::Sqlite { 0 } else { 10 };
    assert_eq!(glance.queries(), expected, "another table has changed");
}

#[tokio::test]
async fn a_loop_with_nothing_to_do_rests_until_a_change() {
    let app = TestApp::new().await;
    let it = app.furnished().await;
    let webhooks = format!("/organization/{}/webhook", it.organization);
    let mut glance = Glance::of(&app.app.db);
    glance.webhooks().await;
    // Other servers may change a PostgreSQL database, which tells nothing of it.
    let is_told = app.app.db.get_database_backend() == DbBackend::Sqlite;
    let rests = async |glance: &Glance| {
        let rest = glance.kept.rest(Duration::from_millis(1));
        tokio::time::timeout(Duration::from_millis(300), rest).await.is_err()
    };
    assert_eq!(rests(&glance).await, is_told);
    it.create(it.lifecycle("job")).await;
    assert_eq!(rests(&glance).await, is_told, "another table has changed");
    let changes = async {
        it.client.post(&webhooks, world::webhook()).await.expect(201);
    };
    let rest = tokio::time::timeout(Duration::from_secs(10), glance.kept.rest(Duration::ZERO));
    let (rested, ()) = tokio::join!(rest, changes);
    rested.expect("a change ends the rest");
    // What is changing while it begins to rest counts, too.
    tokio::time::timeout(Duration::from_secs(10), glance.kept.rest(Duration::ZERO)).await.expect("it has changed");
    assert_eq!(glance.webhooks().await, 1);
}

#[tokio::test]
async fn sqlite_reports_the_rows_of_all_tables_that_loops_glance_at() {
    let app = TestApp::new().await;
    if app.app.db.get_database_backend() != DbBackend::Sqlite {
        return;
    }
    for glanced in [
        &store::alert::GLANCED[..],
        &store::push::GLANCED,
        &[Watched::AlertDelivery, Watched::PushFeedback, Watched::WebhookDelivery],
    ] {
        for table in glanced {
            // It reports none of tables without these numbers.
            let sql = format!("SELECT rowid FROM {} LIMIT 1", table.table());
            app.app.db.execute_unprepared(&sql).await.unwrap();
        }
    }
}
