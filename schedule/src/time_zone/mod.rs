//! Time zones: the rules of the newest release of the IANA database that is available.

mod release;
mod zone;
mod zone_data;

pub use self::release::Release;
pub use self::zone::{ClockChange, Zone, ZoneOffset};
pub use self::zone_data::{Database, database, find};
