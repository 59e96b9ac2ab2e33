//! `windlass restore`: fills an empty database from a backup.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Args;
use windlass::backup::{self, Header};
use windlass::config::{BACKUP_PASSPHRASE, Config};
use windlass::error::{Error, Result};
use windlass::secret::{KeyRing, KeySource};
use windlass::server;
use zeroize::Zeroizing;

use crate::passphrase;

#[derive(Args)]
pub(crate) struct Arguments {
    /// The backup.
    file: PathBuf,
    /// Restore even if the keys of its sealed values are lost; nobody can read those values any more.
    #[arg(long)]
    without_key: bool,
    #[command(flatten)]
    passphrase: passphrase::Source,
}

pub(crate) async fn run(config: &Config, arguments: &Arguments) -> Result<()> {
    let begun = Instant::now();
    let mut reader = crate::backup::open(&arguments.file)?;
    let header = reader.header().clone();
    check_schema(&header)?;
    // All of it, before the database is touched. What is loaded is checked once more.
    reader.check().map_err(Error::internal)?;
    drop(reader);
    let keys = keys(config, arguments, &header).await?;
    let (db, _lock, applied) = server::open_new(config, header.schema.len()).await?;
    if applied != header.schema {
        return Err(Error::internal(
            "the database has tables of another version than the backup; restore into a database without tables",
        ));
    }
    let new_file = if let Some(Keys { text, path: Some(path), .. }) = &keys {
        Some(NewKeyFile::create(path, text)?)
    } else {
        None
    };
    // Early tables may lack what is read to check the keys.
    let checked = keys.as_ref().map(|keys| &keys.ring).filter(|_| header.schema == migration::names());
    let restored = backup::load(&db, || crate::backup::open(&arguments.file), checked).await?;
    if let Some(file) = new_file {
        file.keep();
    }
    migration::run(&db).await?;
    if db.get_database_backend() == sea_orm::DbBackend::Postgres {
        use sea_orm::ConnectionTrait as _;
        // Until then, the database plans queries as if the tables were empty.
        db.execute_unprepared("ANALYZE").await?;
    }
    println!(
        "restored: {} rows of {} tables, in {:.1} s",
        restored.rows,
        header.tables.len(),
        begun.elapsed().as_secs_f64()
    );
    db.close().await?;
    Ok(())
}

/// The schema has to be one that this program knows, or an earlier one.
fn check_schema(header: &Header) -> Result<()> {
    let known = migration::names();
    if known.starts_with(&header.schema) && !header.schema.is_empty() {
        return Ok(());
    }
    Err(Error::internal(format!(
        "the backup was written by windlass {}, and its schema is newer than this program ({}); restore it with that version",
        header.program,
        env!("CARGO_PKG_VERSION")
    )))
}

/// The keys of a restored server.
struct Keys {
    text: Zeroizing<String>,
    ring: KeyRing,
    /// Where they have to be written, if they are not there yet.
    path: Option<PathBuf>,
}

/// Finds the keys that the backup needs: where the server will look for them, or in the backup.
async fn keys(config: &Config, arguments: &Arguments, header: &Header) -> Result<Option<Keys>> {
    let source = config.key_source();
    let missing_file = match &source {
        KeySource::File(path) if !path.exists() => Some(path.clone()),
        KeySource::File(_) | KeySource::Keys(_) | KeySource::Command(..) => None,
    };
    let fits = |ring: &KeyRing| header.needed_keys.iter().all(|id| ring.fingerprints().contains(id));
    if missing_file.is_none() {
        let text = source.read().await?;
        let ring = KeyRing::parse(&text, &source.name())?;
        if fits(&ring) || arguments.without_key {
            return Ok(fits(&ring).then_some(Keys { text, ring, path: None }));
        }
    }
    if header.needed_keys.is_empty() || arguments.without_key {
        return Ok(None);
    }
    let needed = header.needed_keys.join(", ");
    let Some(sealed) = &header.keys else {
        return Err(Error::internal(format!(
            "the backup needs the key with the fingerprint {needed}, which {} does not have; put that key file there, or restore \
             --without-key if the key is lost",
            source.name()
        )));
    };
    let Some(path) = missing_file else {
        return Err(Error::internal(format!(
            "the backup needs the key with the fingerprint {needed}, which {} does not have; the backup has it: restore with a \
             --secret-key-file that is not there yet",
            source.name()
        )));
    };
    let passphrase = arguments.passphrase.read()?.ok_or_else(|| {
        Error::internal(format!(
            "the key file {} is missing, and the backup has the key {needed} under a passphrase: set --passphrase-file or the \
             variable {BACKUP_PASSPHRASE}",
            path.display()
        ))
    })?;
    let text = backup::open_keys(sealed, passphrase.expose()).map_err(Error::internal)?;
    let ring = KeyRing::parse(&text, "the backup")?;
    if !fits(&ring) {
        return Err(Error::internal(format!("the keys in the backup do not include {needed}")));
    }
    Ok(Some(Keys { text, ring, path: Some(path) }))
}

/// A key file that is removed again if nothing is restored.
struct NewKeyFile {
    path: PathBuf,
    kept: bool,
}

impl NewKeyFile {
    fn create(path: &Path, text: &str) -> Result<Self> {
        let failed = |error| Error::internal(format!("cannot write the key file {}: {error}", path.display()));
        let mut file =
            std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(failed)?;
        let new = Self { path: path.to_owned(), kept: false };
        file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)?;
        Ok(new)
    }

    fn keep(mut self) {
        self.kept = true;
    }
}

impl Drop for NewKeyFile {
    fn drop(&mut self) {
        if !self.kept {
            let _gone = std::fs::remove_file(&self.path);
        }
    }
}
