//! The arguments of a command as the text of a field: one a line, or a JSON list if a line would not do.

use crate::error::{Error, Result};
use crate::input::read_json;

/// As a field shows them.
pub(super) fn shown(arguments: &[String]) -> String {
    let is_plain = |argument: &String| {
        !argument.is_empty() && argument.trim() == argument.as_str() && !argument.contains(['\n', '\r'])
    };
    if arguments.iter().all(is_plain) && !arguments.first().is_some_and(|first| first.starts_with('[')) {
        return arguments.join("\n");
    }
    serde_json::to_string(arguments).unwrap_or_default()
}

/// Reads them; none if the field is empty.
pub(super) fn read(field: &str, text: &str) -> Result<Option<Vec<String>>> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    if text.starts_with('[') {
        let unlike = || Error::invalid(field, "must have one argument a line, or be a JSON list of texts");
        let list = read_json::parse(text.as_bytes()).map_err(|_| unlike())?;
        return serde_json::from_value(list).map(Some).map_err(|_| unlike());
    }
    Ok(Some(text.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_survive_the_field() {
        for arguments in [vec!["-c", "echo hi"], vec!["[1]"], vec!["a\nb", ""], vec![" spaces "], vec!["-c", "'\"<&"]] {
            let arguments: Vec<String> = arguments.into_iter().map(str::to_owned).collect();
            assert_eq!(read("a", &shown(&arguments)).unwrap(), Some(arguments));
        }
        assert_eq!(read("a", " \n").unwrap(), None);
        assert!(read("a", "[1").is_err() && read("a", "[1]").is_err());
    }
}
