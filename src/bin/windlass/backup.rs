//! `windlass backup`: writes a backup of the database, with or without running servers, or checks one.

use std::fs::File;
use std::io::{BufReader, BufWriter, IsTerminal as _, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Args;
use windlass::backup::{self, BackupReader, Header, Origin, Random, Saved};
use windlass::clock::Clock;
use windlass::config::Config;
use windlass::error::{Error, Result};
use windlass::secret::{KeyRing, random_bytes};
use windlass::server;

use crate::passphrase;

#[derive(Args)]
pub(crate) struct Arguments {
    /// The new file, or `-` for standard output.
    file: PathBuf,
    /// Do not write a backup: read this one, and check all of it. Needs no database.
    #[arg(long, conflicts_with = "with_key")]
    verify: bool,
    /// Include the keys of the server, sealed by a passphrase.
    #[arg(long)]
    with_key: bool,
    #[command(flatten)]
    passphrase: passphrase::Source,
}

pub(crate) async fn run(config: &Config, arguments: &Arguments) -> Result<()> {
    let begun = Instant::now();
    if arguments.verify {
        return verify(&arguments.file, &arguments.passphrase, begun);
    }
    let keys = if arguments.with_key {
        let passphrase = arguments.passphrase.read_new()?;
        let source = config.key_source();
        let text = source.read().await?;
        let held = KeyRing::parse(&text, &source.name())?.fingerprints();
        let random = Random { salt: random_bytes()?, nonce: random_bytes()? };
        Some((backup::seal_keys(&text, passphrase.expose(), &random).map_err(Error::internal)?, held, source.name()))
    } else {
        None
    };
    let db = server::open_any_age(config).await?;
    if let Some((_, held, name)) = &keys {
        let needed = windlass::store::seal_key::list(&db).await?;
        if let Some(missing) = needed.iter().find(|key| !held.contains(&key.id)) {
            return Err(Error::internal(format!(
                "--with-key: the database needs the key with the fingerprint {}, which {name} does not have",
                missing.id
            )));
        }
    }
    let origin = Origin {
        program: env!("CARGO_PKG_VERSION").into(),
        now: Clock::system().now(),
        schema: migration::applied(&db).await?,
        keys: keys.map(|(keys, ..)| keys),
    };
    if arguments.file == Path::new("-") {
        if std::io::stdout().is_terminal() {
            return Err(Error::invalid("FILE", "a backup is not text; send it to a file or a program"));
        }
        let saved = backup::save(&db, origin, std::io::stdout().lock()).await?;
        tell(&mut std::io::stderr(), "written", &saved.header, saved.rows, begun.elapsed());
    } else {
        let new = NewFile::create(&arguments.file)?;
        let (header, rows) = {
            let Saved { output, header, rows } = backup::save(&db, origin, BufWriter::new(&new.file)).await?;
            output.into_inner().map_err(|error| new.failed(error.error()))?;
            (header, rows)
        };
        new.keep()?;
        tell(&mut std::io::stdout(), "written", &header, rows, begun.elapsed());
    }
    Ok(())
}

fn verify(path: &Path, passphrase: &passphrase::Source, begun: Instant) -> Result<()> {
    let mut reader = open(path)?;
    let header = reader.header().clone();
    let rows = reader.check().map_err(Error::internal)?;
    if let (Some(keys), Some(passphrase)) = (&header.keys, passphrase.read()?) {
        backup::open_keys(keys, passphrase.expose()).map_err(Error::internal)?;
        println!("the keys in it open with the passphrase");
    }
    tell(&mut std::io::stdout(), "in order", &header, rows, begun.elapsed());
    Ok(())
}

/// Opens a backup.
pub(crate) fn open(path: &Path) -> Result<BackupReader<BufReader<File>>> {
    let file = File::open(path).map_err(|error| Error::internal(format!("{}: {error}", path.display())))?;
    BackupReader::open(BufReader::with_capacity(128 * 1024, file)).map_err(Error::internal)
}

/// Says what a backup is.
fn tell(to: &mut impl Write, what: &str, header: &Header, rows: u64, took: Duration) {
    let keys = match (&header.keys, header.needed_keys.as_slice()) {
        (_, []) => "no key is needed".to_owned(),
        (Some(_), needed) => format!("keys {}: included, under the passphrase", needed.join(", ")),
        (None, needed) => format!("keys {}: not included; keep the key file elsewhere", needed.join(", ")),
    };
    let text = format!(
        "the backup is {what}: {rows} rows of {} tables, of {} ({}, windlass {}), in {:.1} s; {keys}\n",
        header.tables.len(),
        header.created_at.format("%Y-%m-%d %H:%M:%S UTC"),
        header.database,
        header.program,
        took.as_secs_f64(),
    );
    // A closed output does not make it worse.
    let _told = to.write_all(text.as_bytes());
}

/// A file that has its name only when it is whole. Until then it is private, and has another one.
struct NewFile {
    file: File,
    part: PathBuf,
    path: PathBuf,
    kept: bool,
}

impl NewFile {
    fn create(path: &Path) -> Result<Self> {
        use std::os::unix::fs::OpenOptionsExt as _;
        if path.symlink_metadata().is_ok() {
            return Err(Error::internal(format!("{} is there already; choose another name", path.display())));
        }
        let mut part = path.to_owned().into_os_string();
        part.push(".part");
        let part = PathBuf::from(part);
        let file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&part);
        let file = file.map_err(|error| Error::internal(format!("cannot create {}: {error}", part.display())))?;
        Ok(Self { file, part, path: path.to_owned(), kept: false })
    }

    fn failed(&self, error: &std::io::Error) -> Error {
        Error::internal(format!("cannot write {}: {error}", self.part.display()))
    }

    fn keep(mut self) -> Result<()> {
        self.file.sync_all().map_err(|error| self.failed(&error))?;
        std::fs::rename(&self.part, &self.path).map_err(|error| self.failed(&error))?;
        self.kept = true;
        // So that the name survives a crash, too.
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| self.failed(&error))
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if !self.kept {
            let _gone = std::fs::remove_file(&self.part);
        }
    }
}
