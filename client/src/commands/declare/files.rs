//! Reads declarations from files, folders and standard input.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde_json::Value;
use serde_saphyr::options::DuplicateKeyPolicy;

use super::document::{Document, share_projects};
use crate::failure::{Failure, Result};

/// The documents of all files, in their order; those of a folder by name.
pub(super) fn read(paths: &[PathBuf]) -> Result<Vec<Document>> {
    let mut documents = Vec::new();
    for path in paths {
        if path.as_os_str() == "-" {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text).map_err(|error| failed(path, &error))?;
            documents.extend(parse("standard input", Path::new("."), &text)?);
        } else if path.is_dir() {
            let entries = std::fs::read_dir(path).map_err(|error| failed(path, &error))?;
            let mut files = entries.map(|entry| entry.map(|entry| entry.path())).collect::<std::io::Result<Vec<_>>>();
            let files = files.as_mut().map_err(|error| failed(path, error))?;
            files.sort();
            for file in files.iter().filter(|file| is_declaration(file)) {
                documents.extend(of_file(file)?);
            }
        } else {
            documents.extend(of_file(path)?);
        }
    }
    if documents.is_empty() {
        return Err(Failure::Usage("the files declare nothing".into()));
    }
    share_projects(&mut documents)?;
    Ok(documents)
}

fn is_declaration(path: &Path) -> bool {
    path.extension().is_some_and(|end| ["yaml", "yml", "json"].iter().any(|known| end == *known))
}

fn failed(path: &Path, error: &std::io::Error) -> Failure {
    Failure::Usage(format!("{}: {error}", path.display()))
}

fn of_file(path: &Path) -> Result<Vec<Document>> {
    let text = std::fs::read_to_string(path).map_err(|error| failed(path, &error))?;
    parse(&path.display().to_string(), path.parent().unwrap_or(Path::new(".")), &text)
}

/// The documents of a text; empty ones are left out. JSON is YAML.
fn parse(origin: &str, folder: &Path, text: &str) -> Result<Vec<Document>> {
    // A number that would lose its zeros, and the yes and no of older YAML, are texts.
    let options = serde_saphyr::options! {
        duplicate_keys: DuplicateKeyPolicy::Error,
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
        with_snippet: false,
        emit_comments: false,
    };
    let values: Vec<Value> = serde_saphyr::from_multiple_with_options(text, options)
        .map_err(|error| Failure::Usage(format!("{origin}: {error}")))?;
    let count = values.len();
    let documents = values.into_iter().enumerate().filter(|(_, value)| !value.is_null());
    documents
        .map(|(place, value)| {
            let origin = if count > 1 { format!("{origin}, document {}", place + 1) } else { origin.to_owned() };
            Document::new(origin, folder, value)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::parse;

    #[test]
    fn a_file_has_any_number_of_documents() {
        let text = "project: a\nenvironment: b\n---\n---\nproject: a\nenvironment: c\n";
        let found = parse("file", Path::new("."), text).unwrap();
        assert_eq!(found.iter().map(super::Document::name).collect::<Vec<_>>(), ["a/b", "a/c"]);
        let refused = |text: &str| parse("file", Path::new("."), text).map(drop).unwrap_err().to_string();
        assert!(refused("project: a\nproject: b\n").starts_with("file: "));
        assert!(refused("- a\n").contains("must be an object"));
        assert!(refused("a: [").starts_with("file: "));
    }
}
