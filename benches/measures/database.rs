//! An installation: a folder and a database of its own.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use sea_orm::{ColumnTrait as _, QueryFilter as _};
use sea_orm::{ConnectionTrait as _, Database, DatabaseConnection, EntityTrait as _, PaginatorTrait as _};
use tempfile::TempDir;
use windlass::store;

use super::bare::below;
use super::server::Server;

/// The databases that are measured, in the order of the columns.
pub(crate) const SQLITE: usize = 0;
pub(crate) const POSTGRESQL: usize = 1;

/// An address of this machine that is free.
const ANY_PORT: &str = "127.0.0.1:0";

/// The server that is measured: another build, to compare two of them, or the one of this source.
pub(crate) fn program() -> PathBuf {
    std::env::var_os("WINDLASS_BENCH_PROGRAM").unwrap_or_else(|| env!("CARGO_BIN_EXE_windlass").into()).into()
}

/// A new installation, whose database is removed by `end`.
pub(crate) struct Installation {
    folder: TempDir,
    pub(crate) url: String,
    /// The PostgreSQL server, and the name of the database there.
    made: Option<(String, String)>,
    pub(crate) token: String,
    pub(crate) db: DatabaseConnection,
}

impl Installation {
    /// Creates it: the first start of a server migrates it. `cluster` is the URL of a PostgreSQL server.
    pub(crate) async fn new(database: usize, cluster: Option<&str>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (url, made) = if database == SQLITE {
            (format!("sqlite://{}?mode=rwc", folder.path().join("windlass.db").display()), None)
        } else {
            let name = format!("bench_{}", uuid::Uuid::new_v4().simple());
            let cluster = cluster.unwrap();
            let db = Database::connect(cluster).await.unwrap();
            db.execute_unprepared(&format!("CREATE DATABASE {name}")).await.unwrap();
            let (server, _) = cluster.rsplit_once('/').unwrap();
            (format!("{server}/{name}"), Some((cluster.to_owned(), name)))
        };
        let first =
            Server::spawn(Self::command(folder.path().to_owned(), &url, ANY_PORT).args(["--runner", "process"]));
        let first = first.greeting(true);
        let db = store::connect(&url, 2).await.unwrap();
        // Until it has planned all schedules once, a server would plan those again that are added meanwhile.
        while store::clock_mark::zones(&db).await.unwrap().is_none() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let token = first.token.clone();
        drop(first);
        Self { folder, url, made, token, db }
    }

    fn command(folder: PathBuf, url: &str, listen: &str) -> Command {
        let mut command = Command::new(program());
        command.args(["serve", "--listen", listen, "--log", "off", "--data-dir"]).arg(folder);
        command.args(["--database-url", url]);
        command
    }

    pub(crate) fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// Starts a server.
    pub(crate) fn serve(&self, words: &[&str]) -> Server {
        self.serve_on(&[], words)
    }

    /// The same below other programs, such as `taskset -c 0`.
    pub(crate) fn serve_on(&self, before: &[&str], words: &[&str]) -> Server {
        self.serve_at(ANY_PORT, before, words)
    }

    /// The same at an address.
    pub(crate) fn serve_at(&self, listen: &str, before: &[&str], words: &[&str]) -> Server {
        let own = Self::command(self.folder().to_owned(), &self.url, listen);
        Server::spawn(below(before, own).args(words)).greeting(false)
    }

    /// Waits until this many runs have ended with success.
    pub(crate) async fn wait_for_runs(&self, count: u64) {
        let ended = entity::run::Entity::find().filter(entity::run::Column::State.eq(entity::run::RunState::Succeeded));
        loop {
            let have = ended.clone().count(&self.db).await.unwrap();
            if have >= count {
                assert_eq!(have, count, "runs were doubled");
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Removes the database.
    pub(crate) async fn end(self) {
        self.db.close().await.unwrap();
        if let Some((cluster, name)) = self.made {
            let db = Database::connect(&cluster).await.unwrap();
            db.execute_unprepared(&format!("DROP DATABASE {name} WITH (FORCE)")).await.unwrap();
        }
    }
}
