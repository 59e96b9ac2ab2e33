//! Reads the arguments and base images of a Dockerfile.

use crate::error::{Error, Result};

/// Joins a path to a root, without leading slashes. The result must stay inside the repository.
pub(super) fn join(root: &str, path: &str) -> Result<String> {
    let joined = format!("{root}/{path}");
    let parts: Vec<&str> = joined.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    if parts.is_empty() || parts.contains(&"..") {
        return Err(Error::invalid("dockerfile_path", "must be a path inside the repository"));
    }
    Ok(parts.join("/"))
}

/// The arguments and base images of a Dockerfile.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Dockerfile {
    pub(super) arg: Vec<String>,
    pub(super) repositories: Vec<String>,
}

impl Dockerfile {
    pub(super) fn parse(text: &str) -> Self {
        let mut dockerfile = Self::default();
        let mut stages: Vec<String> = Vec::new();
        for line in text.replace("\\\n", " ").lines() {
            let mut words = line.split_whitespace();
            match words.next().map(str::to_ascii_uppercase).as_deref() {
                Some("ARG") => {
                    let names = words.filter_map(|word| word.split('=').next()).filter(|name| !name.is_empty());
                    dockerfile.arg.extend(names.map(str::to_owned));
                }
                Some("FROM") => {
                    let rest: Vec<&str> = words.filter(|word| !word.starts_with("--")).collect();
                    let image = rest.first().map(|image| (*image).to_owned()).unwrap_or_default();
                    // The name of an earlier build stage is not an image.
                    if !image.is_empty() && !stages.contains(&image.to_lowercase()) {
                        dockerfile.repositories.push(image);
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
        dockerfile
    }
}

#[cfg(test)]
mod tests {
    use super::{Dockerfile, join};

    #[test]
    fn arguments_and_base_images_are_read() {
        let text =
            "# comment\nARG VERSION=1 B\nFROM --platform=linux/amd64 rust:1 AS build\nfrom build\nFROM \\\n scratch\n";
        let dockerfile = Dockerfile::parse(text);
        assert_eq!(dockerfile.arg, ["VERSION", "B"]);
        assert_eq!(dockerfile.repositories, ["rust:1", "scratch"]);
        assert_eq!(Dockerfile::parse("hello"), Dockerfile::default());
    }

    #[test]
    fn paths_stay_inside() {
        assert_eq!(join("/", "./Dockerfile").unwrap(), "Dockerfile");
        assert_eq!(join("/app/", "docker/Dockerfile").unwrap(), "app/docker/Dockerfile");
        assert!(join("/app", "../Dockerfile").is_err());
        assert!(join("/", "/").is_err());
    }
}
