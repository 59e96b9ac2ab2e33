//! Pure: the file to which a LIFECYCLE job writes its outputs (the format and the rules are those of the official API).
//!
//! The file is an object from name to `{"value": .., "sensitive": .., "description": ..}`. Other fields are ignored, so
//! that Terraform's outputs can be used unchanged. If any name is invalid, the whole file is rejected.

use entity::run::Event;
use serde_json::Value;

use super::variables::built_in::short_id;

/// The longest name, in characters: the key of the variable also has a prefix.
const MAX_NAME: usize = 200;
/// Under names with this prefix, the variables of outputs themselves are stored.
const KEPT: &str = "QOVERY_OUTPUT_";
/// The most outputs of one job.
const MAX_OUTPUTS: usize = 500;

/// One output.
#[derive(Clone, PartialEq, Eq)]
pub struct Output {
    /// In upper case.
    pub name: String,
    pub value: String,
    pub is_secret: bool,
    pub description: String,
}

/// Parses a file of outputs.
///
/// # Errors
/// Why the file is rejected, as a reason for the run.
pub fn parse(content: &[u8], most_bytes: u64) -> Result<Vec<Output>, String> {
    if u64::try_from(content.len()).unwrap_or(u64::MAX) > most_bytes {
        return Err(format!("the outputs were rejected: the file is larger than {most_bytes} bytes"));
    }
    let Ok(Value::Object(entries)) = serde_json::from_slice::<Value>(content) else {
        return Err("the outputs were rejected: the file is not a JSON object".into());
    };
    if entries.len() > MAX_OUTPUTS {
        return Err(format!("the outputs were rejected: there are more than {MAX_OUTPUTS}"));
    }
    let mut outputs: Vec<Output> = Vec::new();
    for (name, entry) in entries {
        if !is_name(&name) {
            let shown: String = name.chars().take(40).collect();
            return Err(format!("the outputs were rejected: {shown:?} is not a name of letters, digits and _"));
        }
        let Value::Object(entry) = entry else { continue };
        if name.to_uppercase().starts_with(KEPT) {
            return Err(format!("the outputs were rejected: {name:?} begins with {KEPT}, which is reserved"));
        }
        let value = match entry.get("value") {
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
            None => "null".to_owned(),
        };
        let output = Output {
            name: name.to_uppercase(),
            value,
            is_secret: entry.get("sensitive").and_then(Value::as_bool).unwrap_or(false),
            description: entry
                .get("description")
                .and_then(Value::as_str)
                .unwrap_or_default()
                .chars()
                .take(255)
                .collect(),
        };
        if output.value.contains('\0') || output.description.contains('\0') {
            return Err(format!("the outputs were rejected: {name:?} contains a NUL character"));
        }
        // Names that differ only in case are the same variable: the last one wins.
        outputs.retain(|other| other.name != output.name);
        outputs.push(output);
    }
    Ok(outputs)
}

fn is_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && name.len() <= MAX_NAME
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

    fn parsed(text: &str) -> Result<Vec<(String, String, bool, String)>, String> {
        let outputs = parse(text.as_bytes(), 1000)?;
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
    fn an_invalid_name_rejects_the_file() {
        for text in [r#"{"a": {"value": 1}, "b-c": {"value": 2}}"#, r#"{"": {}}"#, r#"{"1a": {}}"#, r#"{"ä": {}}"#] {
            assert!(parsed(text).unwrap_err().contains("is not a name"), "{text}");
        }
        for text in ["", "[]", "{", "3", &format!("{{\"a\": {{\"value\": \"{}\"}}}}", "x".repeat(1000))] {
            assert!(parsed(text).is_err(), "{text}");
        }
        assert_eq!(parsed("{}").unwrap(), []);
    }

    #[test]
    fn what_cannot_be_stored_is_rejected_by_name() {
        let nul = parsed(r#"{"host": {"value": "a\u0000b"}}"#).unwrap_err();
        assert!(nul.contains("\"host\" contains a NUL"), "{nul}");
        assert!(parsed(r#"{"host": {"value": "a", "description": "\u0000"}}"#).is_err());
        let kept =
            parsed(r#"{"HOST": {"value": "a"}, "qovery_output_job_z33962e52_HOST": {"value": "b"}}"#).unwrap_err();
        assert!(kept.contains("qovery_output_job_z33962e52_HOST") && kept.contains("reserved"), "{kept}");
    }

    #[test]
    fn keys_have_the_jobs_first_digits() {
        let job: uuid::Uuid = "33962e52-7883-4f77-9a3e-5e0b06fd2b7c".parse().unwrap();
        assert_eq!(key(job, "HOST"), "QOVERY_OUTPUT_JOB_Z33962E52_HOST");
    }
}
