//! Writers that write at the same time as a pass, so that SQLite commits them in groups, and servers that crash, or whose commit
//! fails, in the middle of a group. In one seed of four.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use entity::counter;
use futures_util::FutureExt as _;
use sea_orm::sqlx::sqlite::SqliteOperation;
use sea_orm::{ColumnTrait as _, ConnectionTrait as _, DatabaseConnection, EntityTrait as _, QueryFilter as _};
use windlass::app::App;
use windlass::error::{Error, Result};
use windlass::store;

use super::engine::{Crash, Faults};

/// How many writers there are beside a pass, and how often each of them writes.
const WRITERS: u64 = 4;
const WRITES: u64 = 2;

/// The groups that were interrupted in all worlds.
pub(super) static INTERRUPTED: AtomicU64 = AtomicU64::new(0);

/// What becomes of a group that is about to be committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    None,
    /// The server crashes, and nothing is committed.
    CrashBefore,
    /// The server crashes when the group is on the disk, and nobody gets an answer.
    CrashAfter,
    /// The commit fails, and the server goes on.
    Fails,
}

/// What a writer was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Stored,
    Failed,
    /// The server crashed before it answered.
    None,
}

/// The writers of a world, and what they were told, by name.
#[derive(Default)]
pub(super) struct Company {
    answers: Mutex<BTreeMap<String, Answer>>,
}

/// What the open transaction of a connection has changed.
#[derive(Default)]
struct Open {
    rows_of_writers: AtomicU64,
    others: AtomicBool,
}

impl Open {
    /// Whether several members changed something; counts from the beginning again.
    fn take_is_group(&self) -> bool {
        let rows = self.rows_of_writers.swap(0, Ordering::SeqCst);
        let others = self.others.swap(false, Ordering::SeqCst);
        rows > 2 || (rows > 0 && others)
    }
}

/// Interrupts a group of a server. A server that has crashed commits nothing, whatever its tasks still do.
pub(super) async fn interrupt(db: &DatabaseConnection, faults: &Arc<Faults>, fault: Fault, in_groups: i64) {
    let mut connection = db.get_sqlite_connection_pool().acquire().await.unwrap();
    let mut handle = connection.lock_handle().await.unwrap();
    let open = Arc::new(Open::default());
    let noted = Arc::clone(&open);
    handle.set_update_hook(move |change| match (change.table, change.operation) {
        ("counter", SqliteOperation::Insert) => {
            noted.rows_of_writers.fetch_add(1, Ordering::SeqCst);
        }
        _ => noted.others.store(true, Ordering::SeqCst),
    });
    let (undone, left, faults) = (Arc::clone(&open), AtomicI64::new(in_groups), Arc::clone(faults));
    handle.set_rollback_hook(move || {
        undone.take_is_group();
    });
    handle.set_commit_hook(move || {
        let is_group = open.take_is_group();
        if faults.has_crashed() {
            return false;
        }
        if !is_group || fault == Fault::None || left.fetch_sub(1, Ordering::SeqCst) != 1 {
            return true;
        }
        INTERRUPTED.fetch_add(1, Ordering::SeqCst);
        if matches!(fault, Fault::CrashBefore | Fault::CrashAfter) {
            faults.crash();
        }
        fault == Fault::CrashAfter
    });
}

impl Company {
    /// Writes beside a pass, which has a number.
    pub(super) async fn write_beside(&self, app: &App, pass: usize) {
        let writers = (0..WRITERS).map(|writer| async move {
            for write in 0..WRITES {
                // Some of them change their minds, and some try what the database refuses.
                let (name, fault) = (format!("company-{pass}-{writer}-{write}"), (writer + write) % 4);
                // A crash may end this writer at any place.
                self.answers.lock().unwrap().insert(name.clone(), Answer::None);
                let written = AssertUnwindSafe(store::write(&app.db, async |tx| two_rows(tx, &name, fault).await));
                let answer = match written.catch_unwind().await {
                    Ok(Ok(())) => Answer::Stored,
                    Ok(Err(_)) => Answer::Failed,
                    Err(why) if why.is::<Crash>() => Answer::None,
                    Err(why) => std::panic::resume_unwind(why),
                };
                self.answers.lock().unwrap().insert(name, answer);
            }
        });
        futures_util::future::join_all(writers).await;
    }

    /// Whoever was told that its rows are stored finds both, and whoever failed finds none. Without an answer, there are both or none.
    pub(super) async fn check(&self, db: &DatabaseConnection) -> std::result::Result<(), String> {
        let rows = counter::Entity::find().filter(counter::Column::Name.starts_with("company-"));
        let names: Vec<String> = rows.all(db).await.unwrap().into_iter().map(|row| row.name).collect();
        for (name, answer) in self.answers.lock().unwrap().iter() {
            let found = ["a", "b"].map(|row| names.contains(&format!("{name}-{row}")));
            let fits = match answer {
                Answer::Stored => found == [true, true],
                Answer::Failed => found == [false, false],
                Answer::None => found[0] == found[1],
            };
            if !fits {
                return Err(format!("{name} was told {answer:?}, and its rows are there: {found:?}"));
            }
        }
        Ok(())
    }
}

async fn two_rows(tx: &sea_orm::DatabaseTransaction, name: &str, fault: u64) -> Result<()> {
    let insert = |row: &str| format!("INSERT INTO counter (name, value) VALUES ('{name}-{row}', 1)");
    let execute = async |sql: String| {
        let statement = sea_orm::Statement::from_string(tx.get_database_backend(), sql);
        tx.execute_raw(statement).await.map_err(Error::from)
    };
    execute(insert("a")).await?;
    tokio::task::yield_now().await;
    if fault == 2 {
        execute(insert("a")).await?;
    }
    execute(insert("b")).await?;
    if fault == 3 { Err(Error::Conflict("changed its mind".into())) } else { Ok(()) }
}
