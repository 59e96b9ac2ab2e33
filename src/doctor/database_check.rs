//! The database: whether it can be reached, its schema, its clock, and whether the keys fit it.

use std::path::Path;
use std::time::Duration;

use chrono::{DateTime, Utc};
use migration::Schema;
use sea_orm::DatabaseConnection;

use super::finding::Finding;
use crate::clock::Clock;
use crate::config::Config;
use crate::secret::{KeyRing, KeySource, place};
use crate::server::database_file;
use crate::store;

const SUBJECT: &str = "database";
const KEYS: &str = "keys";

/// How far the clocks of servers may be apart.
const MOST_SKEW: chrono::TimeDelta = chrono::TimeDelta::seconds(2);
/// How long the database may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// The findings, and the connection, if the schema is that of this program.
pub(super) async fn check(config: &Config, clock: &Clock) -> (Vec<Finding>, Option<DatabaseConnection>) {
    match database_file(config) {
        Err(error) => {
            let remedy =
                "write it like sqlite:///var/lib/windlass/windlass.db or postgres://user:password@host/database";
            return (vec![Finding::wrong(SUBJECT, text(error), remedy)], None);
        }
        Ok(Some(file)) if !file.exists() => {
            let detail = format!("{} is not there yet; the server creates it", file.display());
            return (vec![Finding::ok(SUBJECT, detail), keys_without_database(config).await], None);
        }
        Ok(_) => {}
    }
    let connected = tokio::time::timeout(PATIENCE, store::connect(&config.database_url(), 1)).await;
    let db = match connected {
        Ok(Ok(db)) => db,
        Ok(Err(error)) => {
            return (vec![Finding::wrong(SUBJECT, format!("the database cannot be reached: {error}"), reach())], None);
        }
        Err(_) => {
            let detail = format!("the database did not answer within {} s", PATIENCE.as_secs());
            return (vec![Finding::wrong(SUBJECT, detail, reach())], None);
        }
    };
    let (schema, is_current) = match migration::schema(&db).await {
        Ok(schema) => (of_schema(schema, &described(&db).await), schema == Schema::Current),
        Err(error) => (
            Finding::wrong(SUBJECT, format!("its schema cannot be read: {error}"), "check the rights of the user"),
            false,
        ),
    };
    let mut found = vec![schema];
    found.extend(skew(&db, clock).await);
    found.push(if is_current { keys(config, &db).await } else { keys_without_database(config).await });
    (found, is_current.then_some(db))
}

fn reach() -> &'static str {
    "check --database-url (host, port, name, user, password), and that the database runs and accepts connections"
}

fn of_schema(schema: Schema, what: &str) -> Finding {
    match schema {
        Schema::Current => Finding::ok(SUBJECT, format!("{what}, with the schema of this program")),
        Schema::Missing => Finding::ok(SUBJECT, format!("{what}, empty; the server creates the tables")),
        Schema::Older => Finding::warning(
            SUBJECT,
            format!("{what}, with the schema of an earlier release"),
            "back it up, and start the server or run windlass migrate",
        ),
        Schema::Newer => {
            Finding::wrong(SUBJECT, format!("{what}, with the schema of a later release"), "use the later program")
        }
    }
}

async fn described(db: &DatabaseConnection) -> String {
    store::version(db).await.unwrap_or_else(|_| "its version cannot be read".into())
}

/// How far its clock is from that of this machine. SQLite has none of its own.
async fn skew(db: &DatabaseConnection, clock: &Clock) -> Option<Finding> {
    let before = clock.now();
    let there = store::time(db).await.ok()??;
    Some(apart(before, there, clock.now()))
}

fn apart(before: DateTime<Utc>, there: DateTime<Utc>, after: DateTime<Utc>) -> Finding {
    const SUBJECT: &str = "clock of the database";
    let skew = if there < before { before - there } else { (there - after).max(chrono::TimeDelta::zero()) };
    let seconds = skew.as_seconds_f64();
    if skew > MOST_SKEW {
        let remedy = "synchronize the clocks of both machines by NTP; those of all servers may differ by less than 2 s";
        return Finding::wrong(
            SUBJECT,
            format!("the clock differs by {seconds:.1} s from that of this machine"),
            remedy,
        );
    }
    Finding::ok(SUBJECT, format!("the clock differs by less than {:.1} s", seconds.max(0.1)))
}

/// The keys by themselves. A missing key file is created with the database.
async fn keys_without_database(config: &Config) -> Finding {
    match held(config).await {
        Ok(None) => Finding::ok(KEYS, "there is no key file yet; the server creates it with its database"),
        Ok(Some(ring)) => shared(config).unwrap_or_else(|| Finding::ok(KEYS, named(&ring.fingerprints()))),
        Err(finding) => finding,
    }
}

/// The keys and what the database needs.
async fn keys(config: &Config, db: &DatabaseConnection) -> Finding {
    let needed: Vec<String> = match store::seal_key::list(db).await {
        Ok(rows) => rows.into_iter().map(|row| row.id).collect(),
        Err(error) => return Finding::wrong(KEYS, format!("what the database needs cannot be read: {error}"), reach()),
    };
    let remedy =
        "put the key file of this database in place; docs/operations.md#the-key-file says what is left without it";
    let ring = match held(config).await {
        Ok(Some(ring)) => ring,
        Ok(None) if needed.is_empty() => {
            return Finding::ok(KEYS, "there is no key file yet, and nothing is sealed; the server creates it");
        }
        Ok(None) => {
            let detail = format!("{} is missing; the database needs {}", config.key_source().name(), named(&needed));
            return Finding::wrong(KEYS, detail, remedy);
        }
        Err(finding) => return finding,
    };
    let held = ring.fingerprints();
    if let Some(missing) = needed.iter().find(|id| !held.contains(id)) {
        let detail =
            format!("the database needs the key {missing}, and {} has {}", config.key_source().name(), named(&held));
        return Finding::wrong(KEYS, detail, remedy);
    }
    match store::sealed_samples(db).await {
        Ok(samples) => {
            let opens =
                samples.iter().filter(|(table, id, sealed)| ring.open(&place(table, *id), sealed).is_ok()).count();
            if opens == 0 && !samples.is_empty() {
                return Finding::wrong(KEYS, "they open none of the sealed values of the database", remedy);
            }
            shared(config).unwrap_or_else(|| Finding::ok(KEYS, format!("what is sealed opens with {}", named(&held))))
        }
        Err(error) => Finding::wrong(KEYS, format!("the sealed values cannot be read: {error}"), reach()),
    }
}

fn named(ids: &[String]) -> String {
    format!("{} {}", if ids.len() == 1 { "the key" } else { "the keys" }, ids.join(", "))
}

/// The keys; `None` without a key file.
async fn held(config: &Config) -> Result<Option<KeyRing>, Finding> {
    let source = config.key_source();
    if matches!(&source, KeySource::File(path) if !path.exists()) {
        return Ok(None);
    }
    let wrong = |error| {
        Finding::wrong(
            KEYS,
            text(error),
            "a key is a line of 64 hexadecimal digits, and only the server's user may read it",
        )
    };
    let lines = source.read().await.map_err(wrong)?;
    KeyRing::parse(&lines, &source.name()).map(Some).map_err(wrong)
}

/// A key file that others can read.
fn shared(config: &Config) -> Option<Finding> {
    use std::os::unix::fs::PermissionsExt as _;
    let KeySource::File(path) = config.key_source() else { return None };
    let is_shared = |path: &Path| std::fs::metadata(path).is_ok_and(|found| found.permissions().mode() & 0o007 != 0);
    is_shared(&path).then(|| {
        let detail = format!("other users of this machine can read {}", path.display());
        Finding::wrong(
            KEYS,
            detail,
            format!("chmod 600 {0}; replace the secrets if somebody may have read it", path.display()),
        )
    })
}

/// The whole text of an error: there is no log to look into.
fn text(error: crate::error::Error) -> String {
    match error {
        crate::error::Error::Internal(source) => source.to_string(),
        other => other.public(),
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta, Utc};

    use super::super::finding::Outcome;
    use super::apart;

    #[test]
    fn clocks_that_differ_are_noticed() {
        let before: DateTime<Utc> = "2026-11-28T12:00:00Z".parse().unwrap();
        let after = before + TimeDelta::seconds(1);
        let of = |seconds| apart(before, before + TimeDelta::milliseconds(seconds), after).outcome;
        assert_eq!(
            [-2500, -1500, 500, 2900, 3100].map(of),
            [Outcome::Wrong, Outcome::Ok, Outcome::Ok, Outcome::Ok, Outcome::Wrong]
        );
    }
}
