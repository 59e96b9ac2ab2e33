//! Pure: exports that are a list of jobs.

use serde_json::Value;

use super::document::{items, text};
use super::imported::{Imported, ImportedJob, Source};
use super::lines::Lines;

/// Reads each element. `key` is its field by which it is found in the text; `read` gets the value of that field, and returns the
/// name of the job with the job, or with the reason why it is refused.
pub(crate) fn listed(
    source: &Source<'_>,
    key: &str,
    read: impl Fn(&Value, &str) -> (String, Result<ImportedJob, String>),
) -> Imported {
    let mut found = Imported::default();
    let all = match items(source.text) {
        Ok(all) => all,
        Err(why) => return Imported::unreadable(source, &why),
    };
    let mut lines = Lines::of(source.text);
    for element in &all {
        let value = text(element, key).unwrap_or_default();
        let (name, job) = read(element, value);
        found.push(lines.find_field(key, value), &name, job);
    }
    found
}
