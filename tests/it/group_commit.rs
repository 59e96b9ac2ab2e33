//! Writers that wait for each other are committed together on SQLite, and none of them affects the others.

use std::sync::Mutex;

use entity::counter;
use sea_orm::{
    ColumnTrait as _, ConnectionTrait as _, DatabaseConnection, DatabaseTransaction, DbBackend, EntityTrait as _,
    QueryFilter as _, QueryOrder as _,
};
use tokio::sync::{Notify, watch};
use windlass::error::{Error, Result};
use windlass::store;

use crate::harness::{TestApp, database_with_schema};

/// The names that were written by the writers of a test, from a connection of its own.
async fn written(db: &DatabaseConnection) -> Vec<String> {
    let rows = counter::Entity::find().order_by_asc(counter::Column::Name).all(db).await.unwrap();
    rows.into_iter().filter_map(|row| row.name.strip_prefix("test-").map(str::to_owned)).collect()
}

async fn insert(tx: &DatabaseTransaction, name: &str) -> Result<()> {
    tx.execute_unprepared(&format!("INSERT INTO counter (name, value) VALUES ('test-{name}', 1)")).await?;
    Ok(())
}

/// Holds the turn until all others have asked for theirs.
struct First {
    works: watch::Sender<bool>,
    goes_on: watch::Sender<bool>,
}

impl First {
    fn new() -> Self {
        Self { works: watch::Sender::new(false), goes_on: watch::Sender::new(false) }
    }

    async fn write(&self, db: &DatabaseConnection) -> Result<()> {
        store::write(db, async |tx| {
            insert(tx, "first").await?;
            self.works.send_replace(true);
            // It may be repeated.
            self.goes_on.subscribe().wait_for(|goes_on| *goes_on).await.unwrap();
            Ok(())
        })
        .await
    }

    /// Waits until the first one works.
    async fn works(&self) {
        self.works.subscribe().wait_for(|works| *works).await.unwrap();
    }

    /// Lets the first one go on, after all writers that were polled before have asked for their turn.
    async fn release(&self) {
        self.works().await;
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        self.goes_on.send_replace(true);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writers_that_wait_are_committed_together() {
    let app = TestApp::new().await;
    if app.app.db.get_database_backend() != DbBackend::Sqlite {
        return;
    }
    // A group is closed early while the machine is busy.
    for _ in 0..20 {
        if seen_by_members(&app.app.db).await.iter().all(Vec::is_empty) {
            return;
        }
    }
    panic!("no group had three members");
}

/// What two writers that wait for a third one see from another connection, when they have written.
async fn seen_by_members(db: &DatabaseConnection) -> Vec<Vec<String>> {
    let (first, seen) = (First::new(), Mutex::new(Vec::new()));
    counter::Entity::delete_many().filter(counter::Column::Name.starts_with("test-")).exec(db).await.unwrap();
    let writer = async |name: &str| {
        first.works().await;
        store::write(db, async |tx| {
            insert(tx, name).await?;
            let others = written(db).await;
            seen.lock().unwrap().push(others);
            Ok::<_, Error>(())
        })
        .await
        .unwrap();
        // What a writer has written is there when it returns.
        assert!(written(db).await.contains(&name.to_owned()));
    };
    let (stored, ..) = tokio::join!(first.write(db), writer("second"), writer("third"), first.release());
    stored.unwrap();
    assert_eq!(written(db).await, ["first", "second", "third"]);
    seen.into_inner().unwrap()
}

/// Runs a writer in the middle of a group of three others, which are stored whatever becomes of it. Returns what it returned.
async fn amid_others(
    app: &TestApp,
    middle: impl AsyncFnOnce(&DatabaseTransaction) -> Result<()> + Clone,
) -> Result<()> {
    let (db, first) = (&app.app.db, First::new());
    let other = async |name: &str| {
        first.works().await;
        store::write(db, async |tx| insert(tx, name).await).await
    };
    let middle = async {
        first.works().await;
        store::write(db, middle).await
    };
    let (one, two, middle, three, ()) =
        tokio::join!(first.write(db), other("second"), middle, other("third"), first.release());
    one.unwrap();
    two.unwrap();
    three.unwrap();
    middle
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_fails_leaves_nothing() {
    let app = TestApp::new().await;
    let failed = amid_others(&app, async |tx| {
        insert(tx, "middle").await?;
        // A statement that fails, and an error that is not of the database.
        assert!(insert(tx, "middle").await.is_err());
        Err(Error::Conflict("changed its mind".into()))
    })
    .await;
    assert!(matches!(failed, Err(Error::Conflict(_))), "{failed:?}");
    assert_eq!(written(&app.app.db).await, ["first", "second", "third"]);
}

/// SQLite ends the whole transaction by itself when its disk is full or fails. The others are repeated.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_that_the_database_ended_is_repeated_for_the_others() {
    let app = TestApp::new().await;
    if app.app.db.get_database_backend() != DbBackend::Sqlite {
        return;
    }
    let failed = amid_others(&app, async |tx| {
        insert(tx, "middle").await?;
        tx.execute_unprepared("ROLLBACK").await?;
        Err(Error::Conflict("the disk is full".into()))
    })
    .await;
    assert!(matches!(failed, Err(Error::Conflict(_))), "{failed:?}");
    assert_eq!(written(&app.app.db).await, ["first", "second", "third"]);
}

/// A commit that fails because of one of them fails only for that one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_cannot_be_committed_is_the_only_one() {
    let app = TestApp::new().await;
    if app.app.db.get_database_backend() != DbBackend::Sqlite {
        return;
    }
    let failed = amid_others(&app, async |tx| {
        tx.execute_unprepared("PRAGMA defer_foreign_keys = ON").await?;
        insert(tx, "middle").await?;
        let nobody = uuid::Uuid::nil().simple();
        let sql = format!("UPDATE project SET organization_id = x'{nobody}'");
        tx.execute_unprepared(&sql).await?;
        Ok(())
    });
    app.furnished().await;
    assert!(failed.await.is_err());
    assert_eq!(written(&app.app.db).await, ["first", "second", "third"]);
}

/// A caller that goes away in the middle of its work, such as an HTTP client that disconnects.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_is_dropped_leaves_nothing() {
    let app = TestApp::new().await;
    let (db, first) = (&app.app.db, First::new());
    let (dropped, works) = (Notify::new(), Notify::new());
    let middle = async {
        first.works().await;
        let work = store::write(db, async |tx| {
            insert(tx, "middle").await?;
            works.notify_one();
            std::future::pending::<Result<()>>().await
        });
        tokio::select! {
            _ = work => unreachable!(),
            () = dropped.notified() => {}
        }
    };
    let drop_it = async {
        works.notified().await;
        dropped.notify_one();
    };
    let last = async {
        first.works().await;
        store::write(db, async |tx| insert(tx, "second").await).await
    };
    let (one, (), two, ..) = tokio::join!(first.write(db), middle, last, drop_it, first.release());
    one.unwrap();
    two.unwrap();
    assert_eq!(written(db).await, ["first", "second"]);
}

/// What is there on one connection only tells which one a statement is sent on.
#[tokio::test]
async fn the_writers_of_a_server_share_a_connection() {
    let folder = tempfile::tempdir().unwrap();
    let url = database_with_schema(&folder).await;
    let db = store::connect_to_serve(&url, 2).await.unwrap();
    if db.get_database_backend() != DbBackend::Sqlite {
        return;
    }
    let write = async |sql: &str| store::write(&db, async |tx| tx.execute_unprepared(sql).await).await;
    write("CREATE TEMP TABLE own (text TEXT)").await.unwrap();
    for _ in 0..5 {
        write("INSERT INTO own VALUES ('there')").await.unwrap();
        assert!(
            db.execute_unprepared("SELECT * FROM own").await.is_err(),
            "a reader uses the connection of the writers"
        );
    }
    let same = db.clone();
    db.close().await.unwrap();
    let late = store::write(&same, async |tx| tx.execute_unprepared("DELETE FROM own").await).await;
    assert!(late.is_err(), "a pool that is closed writes");
}
