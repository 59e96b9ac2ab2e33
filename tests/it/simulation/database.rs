//! The databases of simulated worlds: copies of a migrated one, which is made once.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use entity::environment::Mode;
use entity::id::EnvironmentId;
use windlass::secret::KeyRing;
use windlass::{bootstrap, store};

use crate::harness::{administer, copy_on_postgres, start};

/// The kind of database that a world uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Sqlite,
    Postgres,
}

impl Kind {
    /// PostgreSQL where the tests have a server.
    pub(super) fn of_the_tests() -> Self {
        if server().is_some() { Self::Postgres } else { Self::Sqlite }
    }
}

/// The database of one world, and the folder of its servers.
pub(super) struct Database {
    folder: tempfile::TempDir,
    url: String,
    kind: Kind,
}

/// What a world starts with.
struct Template {
    /// The SQLite file; empty for PostgreSQL.
    file: Vec<u8>,
    /// The URL of the PostgreSQL database.
    url: String,
    key: Vec<u8>,
    environment: EnvironmentId,
}

fn server() -> Option<String> {
    std::env::var("WINDLASS_TEST_DATABASE_URL").ok()
}

/// A folder in memory, if possible.
fn folder() -> tempfile::TempDir {
    let memory = PathBuf::from("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory).unwrap() } else { tempfile::tempdir().unwrap() }
}

fn sqlite(folder: &Path) -> String {
    format!("sqlite://{}?mode=rwc", folder.join("test.db").display())
}

fn name_of(url: &str) -> &str {
    url.rsplit_once('/').unwrap().1
}

/// A migrated database with an environment.
async fn make(kind: Kind) -> Template {
    let folder = folder();
    let url = match kind {
        Kind::Sqlite => sqlite(folder.path()),
        Kind::Postgres => crate::harness::database(&folder).await,
    };
    let db = store::connect(&url, 1).await.unwrap();
    migration::run(&db).await.unwrap();
    let now = start();
    let organization = entity::organization::Model::new("acme", now);
    let cluster = bootstrap::local_cluster(organization.id, now);
    let organization = store::organization::create(&db, organization).await.unwrap();
    let cluster = store::cluster::create(&db, cluster).await.unwrap();
    let project = entity::project::Model::new(organization.id, "p", String::new(), now);
    let project = store::project::create(&db, project).await.unwrap();
    let environment = entity::environment::Model::new(&project, cluster.id, "e", Mode::Development, now);
    let environment = store::environment::create(&db, environment).await.unwrap();
    db.close().await.unwrap();
    let key = folder.path().join("secret.key");
    drop(KeyRing::load_or_create(&key).unwrap());
    let file = match kind {
        Kind::Sqlite => std::fs::read(folder.path().join("test.db")).unwrap(),
        Kind::Postgres => Vec::new(),
    };
    Template { file, url, key: std::fs::read(key).unwrap(), environment: environment.id }
}

fn template(kind: Kind) -> &'static Template {
    static SQLITE: OnceLock<Template> = OnceLock::new();
    static POSTGRES: OnceLock<Template> = OnceLock::new();
    let template = match kind {
        Kind::Sqlite => &SQLITE,
        Kind::Postgres => &POSTGRES,
    };
    template.get_or_init(|| {
        // On another thread, because the caller may be inside a runtime.
        std::thread::scope(|scope| {
            let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            scope.spawn(move || runtime().block_on(make(kind))).join().unwrap()
        })
    })
}

impl Database {
    /// A new database, and the id of its environment.
    pub(super) async fn create(kind: Kind) -> (Self, EnvironmentId) {
        use std::os::unix::fs::PermissionsExt as _;
        let template = template(kind);
        let folder = folder();
        let url = match kind {
            Kind::Sqlite => {
                std::fs::write(folder.path().join("test.db"), &template.file).unwrap();
                sqlite(folder.path())
            }
            Kind::Postgres => {
                let url = crate::harness::database_url(&format!("world_{}", uuid::Uuid::now_v7().simple())).unwrap();
                let (new, old) = (name_of(&url), name_of(&template.url));
                copy_on_postgres(old, new).await;
                url
            }
        };
        let key = folder.path().join("secret.key");
        std::fs::write(&key, &template.key).unwrap();
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
        (Self { folder, url, kind }, template.environment)
    }

    pub(super) fn url(&self) -> String {
        self.url.clone()
    }

    /// The data folder of the servers.
    pub(super) fn folder(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    /// Removes the database; the folder is removed when this is dropped.
    pub(super) async fn remove(&self) {
        if self.kind == Kind::Postgres {
            administer(&format!("DROP DATABASE {} WITH (FORCE)", name_of(&self.url))).await;
        }
    }
}
