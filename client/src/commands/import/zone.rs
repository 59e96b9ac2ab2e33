//! The time zone that a command is given.

use crate::failure::{Failure, Result};

/// A time zone that exists; by default that of this machine.
pub(super) fn zone(given: Option<&str>) -> Result<String> {
    let zone = match given {
        Some(zone) => zone.to_owned(),
        None => iana_time_zone::get_timezone().unwrap_or_else(|_| "Etc/UTC".into()),
    };
    if windlass_schedule::parse_timezone(&zone).is_err() {
        return Err(Failure::Usage(format!("--time-zone must be an IANA name such as Europe/Paris, not {zone}")));
    }
    Ok(zone)
}
