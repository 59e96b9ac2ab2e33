//! Pure: the file in which a LIFECYCLE job leaves its outputs (format and rules of the official API).
//!
//! An object from name to `{"value": .., "sensitive": .., "description": ..}`; what else is in it does not count, so that
//! the outputs of Terraform can be left as they are. One bad name spoils the whole file.

use entity::run::Event;
use serde_json::Value;

/// The longest name, in characters: the variable's key has a prefix before it.
const NAME: usize = 200;
/// How many outputs one job can have.
const MOST: usize = 500;

/// One output.
#[derive(Clone, PartialEq, Eq)]
pub struct Output {
    /// In upper case.
    pub name: String,
    pub value: String,
    pub is_secret: bool,
    pub description: String,
}

/// Reads a file of outputs.
///
/// # Errors
/// Why nothing in it is taken, for the reader of the run.
pub fn parse(content: &[u8], most_bytes: u64) -> Result<Vec<Output>, String> {
    if u64::try_from(content.len()).unwrap_or(u64::MAX) > most_bytes {
        return Err(format!("its outputs were not taken: the file is larger than {most_bytes} bytes"));
    }
    let Ok(Value::Object(entries)) = serde_json::from_slice::<Value>(content) else {
        return Err("its outputs were not taken: the file is not a JSON object".into());
    };
    if entries.len() > MOST {
        return Err(format!("its outputs were not taken: there are more than {MOST}"));
    }
    let mut outputs: Vec<Output> = Vec::new();
    for (name, entry) in entries {
        if !is_name(&name) {
            let shown: String = name.chars().take(40).collect();
            return Err(format!("its outputs were not taken: {shown:?} is not a name of letters, digits and _"));
        }
        let Value::Object(entry) = entry else { continue };
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
        // Names that differ by case only are one variable: the last one counts.
        outputs.retain(|other| other.name != output.name);
        outputs.push(output);
    }
    Ok(outputs)
}

fn is_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && name.len() <= NAME
}

/// The key of the variable of an output: what its job is called in it are the first digits of the job's id.
#[must_use]
pub fn key(job: uuid::Uuid, name: &str) -> String {
    let id = job.to_string();
    let short = id.split('-').next().unwrap_or_default().to_uppercase();
    format!("QOVERY_OUTPUT_JOB_Z{short}_{name}")
}

/// Whether a run of this event leaves outputs: those of LIFECYCLE jobs do.
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
    fn one_bad_name_spoils_the_file() {
        for text in [r#"{"a": {"value": 1}, "b-c": {"value": 2}}"#, r#"{"": {}}"#, r#"{"1a": {}}"#, r#"{"ä": {}}"#] {
            assert!(parsed(text).unwrap_err().contains("is not a name"), "{text}");
        }
        for text in ["", "[]", "{", "3", &format!("{{\"a\": {{\"value\": \"{}\"}}}}", "x".repeat(1000))] {
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
