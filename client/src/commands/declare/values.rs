//! The values of variables and secrets: written down, or read from this machine.

use std::path::Path;
use std::process::Command;

use serde_json::{Map, Value, json};

use crate::failure::{Failure, Result};

/// Where a value may come from.
const SOURCES: [&str; 3] = ["env", "file", "sops"];

/// A variable as the server takes it. `at` names it in errors, which never contain a value.
pub(super) fn variable(given: Value, is_secret: bool, folder: &Path, at: &str) -> Result<Value> {
    let refused = |text: &str| Failure::Usage(format!("{at}: {text}"));
    let mut fields = match given {
        Value::Object(fields) => fields,
        Value::Null if is_secret => Map::new(),
        Value::String(_) if is_secret => {
            let text = "must not be written down: use {env: NAME}, {file: PATH} or {sops: PATH, key: KEY}, or nothing to keep what is stored";
            return Err(refused(text));
        }
        Value::String(text) => return Ok(json!({ "value": text })),
        Value::Bool(flag) => return Ok(json!({ "value": flag.to_string() })),
        Value::Number(number) if number.is_i64() || number.is_u64() => return Ok(json!({"value": number.to_string()})),
        Value::Number(_) => return Err(refused("must be quoted, because YAML changes such a number")),
        Value::Null | Value::Array(_) => return Err(refused("must be a text")),
    };
    let sources: Vec<&str> = SOURCES.into_iter().filter(|name| fields.contains_key(*name)).collect();
    if sources.len() > 1 || (!sources.is_empty() && fields.contains_key("value")) {
        return Err(refused("must have one of value, env, file and sops"));
    }
    if !sources.is_empty() {
        let value = from_elsewhere(&mut fields, folder).map_err(|text| refused(&text))?;
        fields.insert("value".into(), value.into());
    } else if is_secret && fields.contains_key("value") {
        return Err(refused("must not have a value that is written down: use env, file or sops"));
    }
    Ok(Value::Object(fields))
}

/// The value that `env`, `file` or `sops` names, which are taken out.
fn from_elsewhere(fields: &mut Map<String, Value>, folder: &Path) -> Result<String, String> {
    let key = fields.remove("key");
    for source in SOURCES {
        let Some(name) = fields.remove(source) else { continue };
        let name = name.as_str().ok_or_else(|| format!("{source} must be a text"))?.to_owned();
        return match source {
            "env" => environment(&name),
            "file" => file(&folder.join(name)),
            _ => sops(&folder.join(name), key.as_ref().and_then(Value::as_str)),
        };
    }
    Err("must have one of env, file and sops".into())
}

/// A secret of something else than a variable.
pub(super) fn secret(given: &Value, folder: &Path, at: &str) -> Result<String> {
    let refused = |text: &str| Failure::Usage(format!("{at}: {text}"));
    let Value::Object(fields) = given else {
        return Err(refused("must not be written down: use {env: NAME}, {file: PATH} or {sops: PATH, key: KEY}"));
    };
    from_elsewhere(&mut fields.clone(), folder).map_err(|text| refused(&text))
}

#[expect(clippy::disallowed_methods, reason = "a variable that a file names, and no setting of the program")]
fn environment(name: &str) -> Result<String, String> {
    std::env::var(name).map_err(|_| format!("the environment variable {name} is not set"))
}

/// The content of a file, without the line break at its end.
fn file(path: &Path) -> Result<String, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(text.strip_suffix('\n').map(str::to_owned).unwrap_or(text))
}

/// A value of a file that `sops` decrypts. `key` is its path, separated by dots.
fn sops(path: &Path, key: Option<&str>) -> Result<String, String> {
    let key = key.ok_or("sops needs the key of the value in the file")?;
    let mut command = Command::new("sops");
    let done = command.args(["decrypt", "--output-type", "json"]).arg(path).output();
    let done = done.map_err(|error| format!("the program sops cannot be started: {error}"))?;
    if !done.status.success() {
        let said = String::from_utf8_lossy(&done.stderr);
        return Err(format!("sops cannot decrypt {}: {}", path.display(), said.trim()));
    }
    let tree: Value = serde_json::from_slice(&done.stdout).map_err(|_| "sops has printed no JSON".to_owned())?;
    at_key(&tree, key).ok_or_else(|| format!("{} has no text at {key}", path.display()))
}

fn at_key(tree: &Value, key: &str) -> Option<String> {
    let found = key.split('.').try_fold(tree, |tree, part| match tree {
        Value::Array(items) => items.get(part.parse::<usize>().ok()?),
        tree => tree.get(part),
    })?;
    match found {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::{Value, json};

    use super::{at_key, variable};

    fn read(given: Value, is_secret: bool) -> Result<Value, String> {
        variable(given, is_secret, Path::new(env!("CARGO_MANIFEST_DIR")), "A").map_err(|failure| failure.to_string())
    }

    #[test]
    fn plain_values_are_texts() {
        assert_eq!(read(json!("x"), false), Ok(json!({"value": "x"})));
        assert_eq!(read(json!(8080), false), Ok(json!({"value": "8080"})));
        assert_eq!(read(json!(true), false), Ok(json!({"value": "true"})));
        assert_eq!(read(json!(1.1), false), Err("A: must be quoted, because YAML changes such a number".into()));
        assert_eq!(read(json!([]), false), Err("A: must be a text".into()));
        assert_eq!(read(json!({"value": "x", "path": "/a"}), false), Ok(json!({"value": "x", "path": "/a"})));
    }

    #[test]
    fn secrets_are_read_from_elsewhere() {
        assert!(read(json!("x"), true).unwrap_err().contains("must not be written down"));
        assert!(read(json!({"value": "x"}), true).unwrap_err().contains("must not have a value"));
        assert_eq!(read(json!(null), true), Ok(json!({})));
        let missing = read(json!({"env": "WINDLASS_NOT_SET"}), true).unwrap_err();
        assert_eq!(missing, "A: the environment variable WINDLASS_NOT_SET is not set");
        let path = read(json!({"env": "PATH"}), true).unwrap();
        assert!(!path["value"].as_str().unwrap().is_empty());
        let file = read(json!({"file": "Cargo.toml", "path": "/etc/x"}), false).unwrap();
        let text = file["value"].as_str().unwrap();
        assert!(text.starts_with("[package]") && !text.ends_with('\n'));
        assert_eq!(file["path"], "/etc/x");
        assert!(read(json!({"file": "none"}), true).unwrap_err().starts_with("A: "));
        assert!(
            read(json!({"env": "PATH", "file": "x"}), true).unwrap_err().contains("one of value, env, file and sops")
        );
        assert!(read(json!({"sops": "x"}), true).unwrap_err().contains("needs the key"));
    }

    #[test]
    fn keys_are_paths() {
        let tree = json!({"a": {"b": ["x", 2]}, "c": {}});
        assert_eq!(at_key(&tree, "a.b.0").as_deref(), Some("x"));
        assert_eq!(at_key(&tree, "a.b.1").as_deref(), Some("2"));
        assert_eq!(at_key(&tree, "c"), None);
        assert_eq!(at_key(&tree, "a.z"), None);
    }
}
