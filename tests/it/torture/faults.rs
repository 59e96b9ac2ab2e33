//! The servers, and what happens to them.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sea_orm::ConnectionTrait as _;

use super::asker::Asker;
use crate::server::Server;

/// How long a disk stays full.
const FULL: Duration = Duration::from_secs(3);
/// The size of the disk that is filled.
const DISK_MIB: u32 = 96;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fault {
    /// kill -9, and a new server.
    Kill,
    /// SIGTERM, and a new server once the old one has ended.
    Shutdown,
    /// The disk of the database is full for a while.
    Fill,
    /// All connections to the database are cut.
    Cut,
}

/// A data folder, on a disk of its own where tests may mount one.
struct Folder {
    folder: tempfile::TempDir,
    mounted: bool,
}

impl Folder {
    fn new(with_disk: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let size = format!("size={DISK_MIB}m");
        let mount = || Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(folder.path()).output();
        let mounted = with_disk && mount().is_ok_and(|output| output.status.success());
        if with_disk && !mounted {
            assert!(
                std::env::var("WINDLASS_TEST_STRICT").is_err(),
                "no disk can be mounted, and nothing may be skipped"
            );
            eprintln!("SKIPPED: full disks, because no disk can be mounted (this needs root)");
        }
        Self { folder, mounted }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if self.mounted {
            let _unmounted = Command::new("umount").arg("-l").arg(self.folder.path()).status();
        }
    }
}

pub(super) struct Torture {
    pub(super) asker: Arc<Asker>,
    // Before the folders, so that servers end before their disks are unmounted.
    servers: Vec<Server>,
    folders: Vec<Folder>,
    words: Vec<Vec<String>>,
    database: Option<String>,
    done: Vec<Fault>,
}

impl Torture {
    pub(super) async fn start(database: Option<&str>) -> Self {
        let count = if database.is_some() { 2 } else { 1 };
        let (mut servers, mut folders, mut words): (Vec<Server>, Vec<Folder>, _) = (Vec::new(), Vec::new(), Vec::new());
        for number in 0..count {
            let folder = Folder::new(database.is_none());
            let mut of: Vec<String> = vec!["--runner".into(), "docker".into(), "--webhook-private-addresses".into()];
            if let Some(url) = database {
                of.extend(["--database-url".into(), url.to_owned()]);
            }
            if number > 0 {
                // All servers share one key.
                let key: PathBuf = folders[0].path().join("windlass-data/secret.key");
                of.extend(["--secret-key-file".into(), key.display().to_string()]);
            }
            let token = servers.first().map(|first: &Server| first.token.clone());
            let texts: Vec<&str> = of.iter().map(String::as_str).collect();
            servers.push(Server::start(folder.path(), &texts, token.as_deref()));
            folders.push(folder);
            words.push(of);
        }
        let asker = Asker {
            client: reqwest::Client::builder().timeout(Duration::from_secs(20)).build().unwrap(),
            token: servers[0].token.clone(),
            addresses: Mutex::new(servers.iter().map(|server| server.url.clone()).collect()),
        };
        let database = database.map(str::to_owned);
        Self { asker: Arc::new(asker), servers, folders, words, database, done: Vec::new() }
    }

    /// The number of servers.
    pub(super) fn count(&self) -> u64 {
        self.servers.len() as u64
    }

    /// Lets the next fault happen to a server.
    pub(super) async fn fault(&mut self, number: u32, which: usize) {
        let on_sqlite = [Fault::Kill, Fault::Shutdown, Fault::Kill, Fault::Fill];
        let on_postgres = [Fault::Kill, Fault::Cut, Fault::Shutdown, Fault::Cut];
        let faults = if self.database.is_some() { on_postgres } else { on_sqlite };
        let fault = faults[usize::try_from(number).unwrap() % faults.len()];
        match fault {
            Fault::Kill => self.restart(which, Server::kill),
            Fault::Shutdown => self.restart(which, shut_down),
            Fault::Fill if !self.folders[which].mounted => return,
            Fault::Fill => fill(self.folders[which].path()).await,
            Fault::Cut => self.cut().await,
        }
        self.done.push(fault);
    }

    /// The number of faults of each kind.
    pub(super) fn done(&self) -> String {
        let mut done = self.done.clone();
        done.sort();
        let kinds = done.chunk_by(|one, other| one == other);
        let kinds: Vec<String> = kinds.map(|kind| format!("{:?} {}", kind[0], kind.len())).collect();
        kinds.join(", ")
    }

    /// Ends one server and starts it again.
    fn restart(&mut self, which: usize, end: impl FnOnce(Server) -> String) {
        let token = end(self.servers.remove(which));
        let words: Vec<&str> = self.words[which].iter().map(String::as_str).collect();
        let new = Server::start(self.folders[which].path(), &words, Some(&token));
        self.asker.addresses.lock().unwrap()[which].clone_from(&new.url);
        self.servers.insert(which, new);
    }

    async fn cut(&self) {
        let url = self.database.as_deref().unwrap();
        let name = url.rsplit_once('/').unwrap().1;
        let db = windlass::store::connect(&std::env::var("WINDLASS_TEST_DATABASE_URL").unwrap(), 1).await.unwrap();
        let cut = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'");
        db.execute_unprepared(&cut).await.unwrap();
        db.close().await.unwrap();
    }
}

/// Fills a disk, and empties it after a while.
async fn fill(disk: &Path) {
    let filler = disk.join("filler");
    let mut file = File::create(&filler).unwrap();
    let piece = vec![0; 65_536];
    while file.write_all(&piece).is_ok() {}
    tokio::time::sleep(FULL).await;
    std::fs::remove_file(&filler).unwrap();
}

/// Ends a server as an administrator would.
fn shut_down(server: Server) -> String {
    server.terminate();
    let (code, token) = server.ended();
    assert_eq!(code, Some(0), "the server does not end in order on SIGTERM");
    token
}
