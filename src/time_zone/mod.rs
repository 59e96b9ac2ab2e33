//! Time zones: the rules of the newest release of the IANA database that is available.

mod database;
mod release;
mod zone;

pub use self::database::{Database, database, find};
pub use self::release::Release;
pub use self::zone::{ClockChange, Zone, ZoneOffset};
