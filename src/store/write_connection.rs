//! The connection on which a pool of an SQLite database writes.
//!
//! Each connection has a page cache, which is outdated as soon as another connection has written, and statements of its own that are
//! parsed once. If all writers use the same connection, its cache stays up to date. It belongs to a pool of its own, which is kept by
//! the pool that writes on it. A pool of one connection writes on that one.

use std::sync::{Arc, LazyLock, Mutex, OnceLock, PoisonError, Weak};

use sea_orm::DatabaseConnection;
use sea_orm::sqlx::sqlite::SqliteConnectOptions;

/// The write connection of a pool, once it is known.
pub(super) type Own = Arc<OnceLock<DatabaseConnection>>;

/// The write connections of all pools, which are told apart by their options.
type All = Vec<(Weak<SqliteConnectOptions>, Weak<OnceLock<DatabaseConnection>>)>;

static ALL: LazyLock<Mutex<All>> = LazyLock::new(Mutex::default);

/// Lets a pool write on a connection, as long as `own` exists.
pub(super) fn keep(db: &DatabaseConnection, own: &Own, connection: DatabaseConnection) {
    own.get_or_init(|| connection);
    let mut all = ALL.lock().unwrap_or_else(PoisonError::into_inner);
    all.retain(|(_, own)| own.strong_count() > 0);
    all.push((Arc::downgrade(&db.get_sqlite_connection_pool().connect_options()), Arc::downgrade(own)));
}

/// The connection on which a pool writes. One that is closed does not write any more.
pub(super) fn of(db: &DatabaseConnection) -> DatabaseConnection {
    let pool = db.get_sqlite_connection_pool();
    let own = if pool.is_closed() { None } else { find(&pool.connect_options()) };
    own.and_then(|own| own.get().cloned()).unwrap_or_else(|| db.clone())
}

fn find(pool: &Arc<SqliteConnectOptions>) -> Option<Own> {
    let all = ALL.lock().unwrap_or_else(PoisonError::into_inner);
    all.iter().find(|(of, _)| std::ptr::eq(of.as_ptr(), Arc::as_ptr(pool)))?.1.upgrade()
}
