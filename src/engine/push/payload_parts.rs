//! Pure: reads the parts of a payload, bounded, because they are stored and shown.

use serde_json::Value;

use super::heard::{ChangedPaths, MOST_PATHS};

/// The longest texts, in characters.
const LONGEST: usize = 1024;
const LONGEST_TITLE: usize = 200;

/// A text that is not empty.
pub(super) fn text(of: &Value, pointer: &str) -> Option<String> {
    let text = of.pointer(pointer)?.as_str()?;
    (!text.is_empty()).then(|| text.chars().take(LONGEST).collect())
}

/// The first line of a text.
pub(super) fn title(of: &Value, pointer: &str) -> Option<String> {
    let text = text(of, pointer)?;
    let line = text.lines().next()?.trim();
    (!line.is_empty()).then(|| line.chars().take(LONGEST_TITLE).collect())
}

pub(super) fn number(of: &Value, pointer: &str) -> Option<i32> {
    of.pointer(pointer)?.as_i64().and_then(|number| i32::try_from(number).ok()).filter(|number| *number > 0)
}

/// The id of a commit in hexadecimal digits; providers write zeros for none.
pub(super) fn commit(of: &Value, pointer: &str) -> Option<String> {
    let id = of.pointer(pointer)?.as_str()?.to_ascii_lowercase();
    let is_id = (7..=64).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    (is_id && id.bytes().any(|byte| byte != b'0')).then_some(id)
}

/// The paths that the commits of a push change. They are known only if the list is complete.
pub(super) fn changed_paths(commits: &Value, is_complete: bool) -> ChangedPaths {
    let Some(commits) = commits.as_array().filter(|commits| is_complete && !commits.is_empty()) else {
        return ChangedPaths::NotListed;
    };
    let mut paths: Vec<String> = Vec::new();
    for commit in commits {
        for list in ["added", "modified", "removed"] {
            let Some(list) = commit.get(list).and_then(Value::as_array) else { return ChangedPaths::NotListed };
            paths.extend(list.iter().filter_map(|path| Some(path.as_str()?.to_owned())));
        }
        if paths.len() > MOST_PATHS {
            return ChangedPaths::NotListed;
        }
    }
    paths.sort_unstable();
    paths.dedup();
    ChangedPaths::Known(paths)
}
