//! Pure: the file to which a LIFECYCLE job writes its outputs (the format and the rules are those of the official API).
//!
//! The file is an object from name to `{"value": .., "sensitive": .., "description": ..}`. Other fields are ignored, so
//! that Terraform's outputs can be used unchanged. An output that cannot be a variable is refused; the others are stored.

use std::collections::HashSet;

use entity::run::Event;
use serde_json::Value;

use super::variables::built_in::short_id;
use super::variables::{MAX_ENTRY, check_key};

/// The longest name, in characters: the key of the variable also has a prefix.
const MAX_NAME: usize = 200;
/// The most outputs of one job.
const MAX_OUTPUTS: usize = 500;
/// The most outputs of all jobs of an environment.
const MOST_TOGETHER: usize = 5000;
/// The longest value, in bytes: what an environment can carry, less the longest key.
const MAX_VALUE: usize = MAX_ENTRY - 1024;
/// The largest size of all outputs of one job, in bytes. Each becomes two variables.
const MAX_TOTAL: usize = 512 * 1024;
/// How many refusals are shown.
const MAX_SHOWN: usize = 5;

/// One output.
#[derive(Clone, PartialEq, Eq)]
pub struct Output {
    /// In upper case.
    pub name: String,
    pub value: String,
    pub is_secret: bool,
    pub description: String,
}

/// The outputs of a file, and why some of them were refused.
#[derive(Default)]
pub struct Outputs {
    pub outputs: Vec<Output>,
    pub refused: Vec<String>,
}

impl Outputs {
    /// Refuses new outputs for which their environment has no room: its jobs have outputs with these keys.
    pub fn confine(&mut self, job: uuid::Uuid, known: &HashSet<String>) {
        let mut room = MOST_TOGETHER.saturating_sub(known.len());
        self.outputs.retain(|output| {
            if known.contains(&key(job, &output.name)) {
                return true;
            }
            let fits = room > 0;
            room = room.saturating_sub(1);
            if !fits {
                let shown: String = output.name.chars().take(40).collect();
                let reason = format!("the jobs of an environment can have at most {MOST_TOGETHER} outputs together");
                self.refused.push(format!("the output {shown:?} was refused: {reason}"));
            }
            fits
        });
    }

    /// The refusals, as a reason for the run.
    #[must_use]
    pub fn problem(&self) -> Option<String> {
        let more = self.refused.len().saturating_sub(MAX_SHOWN);
        let mut shown: Vec<String> = self.refused.iter().take(MAX_SHOWN).cloned().collect();
        shown.extend((more > 0).then(|| format!("{more} more outputs were refused")));
        (!shown.is_empty()).then(|| shown.join("; "))
    }
}

/// Parses a file of outputs.
///
/// # Errors
/// Why the whole file is rejected, as a reason for the run.
pub fn parse(content: &[u8], most_bytes: u64) -> Result<Outputs, String> {
    if u64::try_from(content.len()).unwrap_or(u64::MAX) > most_bytes {
        return Err(format!("the outputs were rejected: the file is larger than {most_bytes} bytes"));
    }
    let Ok(Value::Object(entries)) = serde_json::from_slice::<Value>(content) else {
        return Err("the outputs were rejected: the file is not a JSON object".into());
    };
    if entries.len() > MAX_OUTPUTS {
        return Err(format!("the outputs were rejected: there are more than {MAX_OUTPUTS}"));
    }
    let mut found = Outputs::default();
    let mut total = 0;
    for (name, entry) in entries {
        let Value::Object(entry) = entry else { continue };
        let value = match entry.get("value") {
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
            None => "null".to_owned(),
        };
        if let Err(reason) = check(&name, &value, total) {
            let shown: String = name.chars().take(40).collect();
            found.refused.push(format!("the output {shown:?} was refused: {reason}"));
            continue;
        }
        total += name.len() + value.len();
        let description = entry.get("description").and_then(Value::as_str).unwrap_or_default();
        let output = Output {
            name: name.to_uppercase(),
            value,
            is_secret: is_sensitive(entry.get("sensitive")),
            description: description.chars().filter(|letter| *letter != '\0').take(255).collect(),
        };
        // Names that differ only in case are the same variable: the last one wins.
        found.outputs.retain(|other| other.name != output.name);
        found.outputs.push(output);
    }
    Ok(found)
}

/// Checks one output, after others with `total` bytes.
fn check(name: &str, value: &str, total: usize) -> Result<(), String> {
    check_key(name, MAX_NAME).map_err(|reason| format!("its name {reason}"))?;
    if value.contains('\0') {
        return Err("its value has a NUL character, which an environment cannot carry".into());
    }
    if value.len() > MAX_VALUE {
        return Err(format!(
            "its value has {} bytes; an environment variable can carry at most {MAX_VALUE}",
            value.len()
        ));
    }
    if total + name.len() + value.len() > MAX_TOTAL {
        return Err(format!("the outputs of a job can have at most {MAX_TOTAL} bytes together"));
    }
    Ok(())
}

/// Whether an output is sensitive. Anything that is not plainly false counts as true, so that a mistake does not reveal a secret.
fn is_sensitive(given: Option<&Value>) -> bool {
    match given {
        None | Some(Value::Null | Value::Bool(false)) => false,
        Some(Value::String(text)) => !text.trim().eq_ignore_ascii_case("false"),
        Some(_) => true,
    }
}

/// The key of the variable of an output, which contains the first digits of the job's id.
#[must_use]
pub fn key(job: uuid::Uuid, name: &str) -> String {
    format!("QOVERY_OUTPUT_JOB_Z{}_{name}", short_id(job).to_uppercase())
}

/// Whether a run of this event has outputs; only runs of LIFECYCLE jobs do.
#[must_use]
pub fn leaves_outputs(event: Event) -> bool {
    match event {
        Event::Start | Event::Stop | Event::Delete => true,
        Event::Cron | Event::Build | Event::Workspace | Event::Apply => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{key, parse};
    use serde_json::json;

    fn parsed(text: &str) -> Result<Vec<(String, String, bool, String)>, String> {
        let outputs = parse(text.as_bytes(), 1_000_000)?.outputs;
        Ok(outputs.into_iter().map(|o| (o.name, o.value, o.is_secret, o.description)).collect())
    }

    #[test]
    fn every_kind_of_value() {
        let text = r#"{"host": {"value": "h", "type": "string", "sensitive": true, "description": "d"},
            "Port": {"value": 5432}, "list": {"value": [1, "a"]}, "none": {"value": null}, "bare": {}, "skipped": "x"}"#;
        let row = |name: &str, value: &str, secret: bool, description: &str| {
            (name.to_owned(), value.to_owned(), secret, description.to_owned())
        };
        let mut outputs = parsed(text).unwrap();
        outputs.sort();
        let expected = [
            row("BARE", "null", false, ""),
            row("HOST", "h", true, "d"),
            row("LIST", r#"[1,"a"]"#, false, ""),
            row("NONE", "null", false, ""),
            row("PORT", "5432", false, ""),
        ];
        assert_eq!(outputs, expected);
    }

    #[test]
    fn a_refused_output_does_not_cost_the_others() {
        let large = "x".repeat(140_000);
        let text = json!({
            "GOOD": {"value": 1}, "b-c": {"value": 2}, "": {}, "1a": {}, "ä": {}, "QOVERY_JOB_ID": {"value": "x"},
            "LARGE": {"value": large}, "NUL": {"value": "a\0b"}, "LAST": {"value": "z", "description": "a\0b"},
        });
        let found = parse(text.to_string().as_bytes(), 1_000_000).unwrap();
        let mut names: Vec<&str> = found.outputs.iter().map(|output| output.name.as_str()).collect();
        names.sort_unstable();
        assert_eq!(names, ["GOOD", "LAST"]);
        assert_eq!(found.refused.len(), 7, "{:?}", found.refused);
        for (name, reason) in [
            ("b-c", "its name must consist of letters"),
            ("QOVERY_JOB_ID", "reserved for built-in variables"),
            ("LARGE", "its value has 140000 bytes; an environment variable can carry at most 130048"),
            ("NUL", "its value has a NUL character"),
        ] {
            let one = found.refused.iter().find(|text| text.contains(&format!("{name:?}"))).unwrap();
            assert!(one.contains(reason), "{one}");
        }
        let problem = found.problem().unwrap();
        assert!(problem.ends_with("2 more outputs were refused"), "{problem}");
        let each = "x".repeat(130_000);
        let many = json!({"A": {"value": each}, "B": {"value": each}, "C": {"value": each}, "D": {"value": each}, "E": {"value": each}});
        let found = parse(many.to_string().as_bytes(), 1_000_000).unwrap();
        assert_eq!((found.outputs.len(), found.refused.len()), (4, 1));
        assert!(found.refused[0].contains("at most 524288 bytes together"), "{:?}", found.refused);
    }

    #[test]
    fn what_is_not_plainly_false_is_sensitive() {
        for (given, expected) in [
            (json!(false), false),
            (json!("false"), false),
            (json!(null), false),
            (json!(true), true),
            (json!("true"), true),
            (json!("yes"), true),
            (json!(1), true),
            (json!(0), true),
            (json!(""), true),
            (json!([]), true),
        ] {
            let text = json!({"A": {"value": "v", "sensitive": given}}).to_string();
            assert_eq!(parsed(&text).unwrap()[0].2, expected, "{given}");
        }
    }

    #[test]
    fn files_that_are_not_outputs_are_rejected() {
        for text in ["", "[]", "{", "3", &format!("{{\"a\": {{\"value\": \"{}\"}}}}", "x".repeat(1_000_000))] {
            assert!(parsed(text).is_err(), "{text}");
        }
        assert_eq!(parsed("{}").unwrap(), []);
    }

    #[test]
    fn keys_have_the_jobs_first_digits() {
        let job: uuid::Uuid = "33962e52-7883-4f77-9a3e-5e0b06fd2b7c".parse().unwrap();
        assert_eq!(key(job, "HOST"), "QOVERY_OUTPUT_JOB_Z33962E52_HOST");
    }
}
