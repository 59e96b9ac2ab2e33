//! Pure: what a workspace job says while it waits for the lock of its state.

use serde_json::Value;

/// The beginning of the text, by which it is found again.
pub const WAITING: &str = "the lock of the state is held by ";

/// Who holds the lock of a state, in the words of its holder.
#[must_use]
pub fn waiting(lock: &Value) -> String {
    let word = |key: &str| {
        let text = lock.get(key).and_then(Value::as_str).unwrap_or_default();
        text.chars().filter(|letter| !letter.is_control()).take(200).collect::<String>()
    };
    let (who, operation, since) = (word("Who"), word("Operation"), word("Created"));
    let mut text = WAITING.to_owned();
    text.push_str(if who.is_empty() { "a client that did not give its name" } else { &who });
    if !operation.is_empty() {
        text.push_str(&format!(" ({operation})"));
    }
    if !since.is_empty() {
        text.push_str(&format!(" since {since}"));
    }
    text
}

/// The output of a job after a step that ended for a reason: a step that failed while it waited says for whom.
#[must_use]
pub fn output_after(output: Option<String>, failed: bool, reason: Option<String>) -> Option<String> {
    let waited = output.as_ref().is_some_and(|text| text.starts_with(WAITING));
    match (failed, reason, output) {
        (true, Some(reason), Some(text)) if waited => Some(format!("{reason}; {text}")),
        (true, Some(reason), _) => Some(reason),
        (false, _, output) => output.filter(|_| !waited),
        (true, None, output) => output,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{output_after, waiting};

    #[test]
    fn the_holder_is_named() {
        let lock = json!({"ID": "1", "Who": "ann@\u{1b}laptop", "Operation": "OperationTypePlan", "Created": "today"});
        let text = waiting(&lock);
        assert_eq!(text, "the lock of the state is held by ann@laptop (OperationTypePlan) since today");
        assert_eq!(
            waiting(&json!({"ID": "1"})),
            "the lock of the state is held by a client that did not give its name"
        );
        let after = |output: &str, failed, reason: Option<&str>| {
            output_after(Some(output.to_owned()), failed, reason.map(str::to_owned))
        };
        assert_eq!(after(&text, true, Some("exit code 1")), Some(format!("exit code 1; {text}")));
        assert_eq!(after(&text, true, None), Some(text.clone()));
        assert_eq!(after(&text, false, None), None);
        assert_eq!(after("other", false, None), Some("other".into()));
        assert_eq!(after("other", true, Some("lost")), Some("lost".into()));
    }
}
