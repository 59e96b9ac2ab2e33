//! What a Dockerfile asks for, and where it is in a repository.

use crate::error::{Error, Result};

/// The path of a file below a root, without leading slashes; it may not leave the repository.
pub(super) fn join(root: &str, path: &str) -> Result<String> {
    let whole = format!("{root}/{path}");
    let parts: Vec<&str> = whole.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    if parts.is_empty() || parts.contains(&"..") {
        return Err(Error::invalid("dockerfile_path", "is not a path inside the repository"));
    }
    Ok(parts.join("/"))
}

/// What a Dockerfile asks for: the names of its arguments, and the images it begins with.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Dockerfile {
    pub(super) arg: Vec<String>,
    pub(super) repositories: Vec<String>,
}

impl Dockerfile {
    pub(super) fn read(text: &str) -> Self {
        let mut found = Self::default();
        let mut stages: Vec<String> = Vec::new();
        for line in text.replace("\\\n", " ").lines() {
            let mut words = line.split_whitespace();
            match words.next().map(str::to_ascii_uppercase).as_deref() {
                Some("ARG") => {
                    let names = words.filter_map(|word| word.split('=').next()).filter(|name| !name.is_empty());
                    found.arg.extend(names.map(str::to_owned));
                }
                Some("FROM") => {
                    let rest: Vec<&str> = words.filter(|word| !word.starts_with("--")).collect();
                    let image = rest.first().map(|image| (*image).to_owned()).unwrap_or_default();
                    // An earlier stage is no image.
                    if !image.is_empty() && !stages.contains(&image.to_lowercase()) {
                        found.repositories.push(image);
                    }
                    if let [_, word, name] = rest.as_slice()
                        && word.eq_ignore_ascii_case("as")
                    {
                        stages.push(name.to_lowercase());
                    }
                }
                _ => {}
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::{Dockerfile, join};

    #[test]
    fn what_a_dockerfile_asks_for() {
        let text =
            "# comment\nARG VERSION=1 B\nFROM --platform=linux/amd64 rust:1 AS build\nfrom build\nFROM \\\n scratch\n";
        let read = Dockerfile::read(text);
        assert_eq!(read.arg, ["VERSION", "B"]);
        assert_eq!(read.repositories, ["rust:1", "scratch"]);
        assert_eq!(Dockerfile::read("hello"), Dockerfile::default());
    }

    #[test]
    fn paths_stay_inside() {
        assert_eq!(join("/", "./Dockerfile").unwrap(), "Dockerfile");
        assert_eq!(join("/app/", "docker/Dockerfile").unwrap(), "app/docker/Dockerfile");
        assert!(join("/app", "../Dockerfile").is_err());
        assert!(join("/", "/").is_err());
    }
}
