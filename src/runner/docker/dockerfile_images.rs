//! Pure: the images that a Dockerfile refers to.

use std::collections::BTreeMap;

/// A stage of a build.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Stage {
    name: Option<String>,
    base: String,
    /// What it copies from or mounts: a stage by name or number, or an image.
    sources: Vec<String>,
}

/// The parts of a Dockerfile that name images.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Dockerfile {
    /// The image of its frontend.
    syntax: Option<String>,
    stages: Vec<Stage>,
}

impl Dockerfile {
    /// Reads a Dockerfile. `arguments` override the defaults of its arguments.
    pub(super) fn parse(text: &str, arguments: &BTreeMap<&str, &str>) -> Self {
        let mut found = Self { syntax: directive(text, "syntax"), stages: Vec::new() };
        let mut known: BTreeMap<String, String> = BTreeMap::new();
        for line in instructions(text) {
            let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((&line, ""));
            let words: Vec<&str> = rest.split_whitespace().collect();
            let flags = || words.iter().take_while(|word| word.starts_with("--"));
            match (word.to_ascii_uppercase().as_str(), found.stages.last_mut()) {
                ("FROM", _) => {
                    let mut words = words.iter().skip_while(|word| word.starts_with("--"));
                    let base = expand(words.next().unwrap_or(&""), &known);
                    let named = words.next().is_some_and(|word| word.eq_ignore_ascii_case("as"));
                    let name = words.next().filter(|_| named).map(|name| name.to_lowercase());
                    found.stages.push(Stage { name, base, sources: Vec::new() });
                }
                ("ARG", None) => {
                    for word in words {
                        let (key, default) = word.split_once('=').unwrap_or((word, ""));
                        let default = expand(default.trim_matches(['"', '\'']), &known);
                        let value = arguments.get(key).map_or(default, |value| (*value).to_owned());
                        known.insert(key.to_owned(), value);
                    }
                }
                ("COPY" | "ADD", Some(stage)) => {
                    stage.sources.extend(flags().filter_map(|flag| flag.strip_prefix("--from=")).map(str::to_owned));
                }
                ("RUN", Some(stage)) => {
                    let mounts = flags().filter_map(|flag| flag.strip_prefix("--mount="));
                    let from = mounts.flat_map(|mount| mount.split(',')).filter_map(|part| part.strip_prefix("from="));
                    stage.sources.extend(from.map(str::to_owned));
                }
                _ => {}
            }
        }
        found
    }

    /// All images that the Dockerfile names.
    pub(super) fn images(&self) -> Vec<&str> {
        let named = (0..self.stages.len()).flat_map(|index| self.images_of(index));
        self.syntax.as_deref().into_iter().chain(named).collect()
    }

    /// The images that a build up to a stage needs; by default the last stage.
    pub(super) fn needed(&self, target: Option<&str>) -> Vec<&str> {
        let last = self.stages.len().checked_sub(1);
        let mut open: Vec<usize> =
            target.and_then(|name| self.stage(name, self.stages.len())).or(last).into_iter().collect();
        let (mut seen, mut images) = (Vec::new(), Vec::from_iter(self.syntax.as_deref()));
        while let Some(index) = open.pop() {
            if seen.contains(&index) {
                continue;
            }
            seen.push(index);
            images.extend(self.images_of(index));
            open.extend(self.names_of(index).filter_map(|name| self.stage(name, index)));
        }
        images.sort_unstable();
        images.dedup();
        images
    }

    fn names_of(&self, index: usize) -> impl Iterator<Item = &str> {
        let stage = self.stages.get(index);
        stage.into_iter().flat_map(|stage| std::iter::once(&stage.base).chain(&stage.sources)).map(String::as_str)
    }

    fn images_of(&self, index: usize) -> Vec<&str> {
        let is_image = |name: &&str| !name.is_empty() && *name != "scratch" && self.stage(name, index).is_none();
        self.names_of(index).filter(is_image).collect()
    }

    /// The stage with a name or a number, among those before `end`.
    fn stage(&self, name: &str, end: usize) -> Option<usize> {
        let lower = name.to_lowercase();
        let named = self.stages.iter().take(end).rposition(|stage| stage.name.as_ref() == Some(&lower));
        named.or_else(|| name.parse().ok().filter(|index| *index < end))
    }
}

/// The value of a parser directive, such as `# syntax=docker/dockerfile:1`.
fn directive(text: &str, name: &str) -> Option<String> {
    text.lines()
        .map_while(|line| line.trim().strip_prefix('#')?.split_once('='))
        .find_map(|(key, value)| key.trim().eq_ignore_ascii_case(name).then(|| value.trim().to_owned()))
}

/// The instructions, each on one line, without comments and the contents of here-documents.
fn instructions(text: &str) -> Vec<String> {
    let escape = if directive(text, "escape").as_deref() == Some("`") { '`' } else { '\\' };
    let (mut found, mut open) = (Vec::new(), String::new());
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(start) = line.strip_suffix(escape) {
            open.push_str(start);
            open.push(' ');
            continue;
        }
        open.push_str(line);
        for end in here_documents(&open) {
            let _skipped = lines.by_ref().find(|line| line.trim_start_matches('\t') == end);
        }
        found.push(std::mem::take(&mut open));
    }
    found.extend((!open.is_empty()).then_some(open));
    found
}

/// The words that end the here-documents of an instruction.
fn here_documents(line: &str) -> Vec<String> {
    let takes = ["run", "copy", "add"]
        .iter()
        .any(|word| line.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word)));
    let ends = line.split("<<").skip(1).filter_map(|rest| {
        let rest = rest.strip_prefix('-').unwrap_or(rest).trim_start_matches(['"', '\'']);
        let end: String = rest.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect();
        (!end.is_empty()).then_some(end)
    });
    if takes { ends.collect() } else { Vec::new() }
}

/// Replaces `$NAME`, `${NAME}`, `${NAME:-word}` and `${NAME:+word}`.
fn expand(text: &str, known: &BTreeMap<String, String>) -> String {
    let (mut expanded, mut rest) = (String::new(), text);
    while let Some((before, behind)) = rest.split_once('$') {
        expanded.push_str(before);
        let braced = behind.strip_prefix('{').and_then(|inside| inside.split_once('}'));
        let (inside, after) = match braced {
            Some(parts) => parts,
            None => {
                let end = behind.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(behind.len());
                behind.split_at(end)
            }
        };
        let end = inside.find([':', '-', '+']).unwrap_or(inside.len());
        let (name, how) = inside.split_at(end);
        let value = known.get(name).filter(|value| !value.is_empty());
        let how = how.trim_start_matches(':');
        match (value, how.strip_prefix('-'), how.strip_prefix('+')) {
            (Some(_), _, Some(word)) | (None, Some(word), _) => expanded.push_str(word),
            (Some(value), ..) => expanded.push_str(value),
            (None, ..) => {}
        }
        rest = after;
    }
    expanded + rest
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::Dockerfile;

    const TEXT: &str = "# syntax=docker/dockerfile:1\nARG BASE=alpine TAG=3\nARG OTHER=${BASE:-x}\n\
        FROM --platform=$BUILDPLATFORM ${BASE}:${TAG:-9} AS Build\nRUN --mount=type=bind,from=tools,target=/t \\\n\
        # a comment\n  --mount=type=cache,target=/c make\nCOPY <<EOF <<-'END' /x/\nFROM nowhere\nEOF\nEND\n\
        FROM broken/none AS unused\nCOPY --from=hidden /a /a\nfrom scratch\nCOPY --from=build /a /a\nCOPY --from=0 /b /b\n\
        COPY --chmod=640 --from=busybox:1 /c /c\nFROM $OTHER$NONE\nCOPY --from=2 / /\n";

    #[test]
    fn the_images_of_a_build() {
        let found = Dockerfile::parse(TEXT, &BTreeMap::new());
        let all = ["docker/dockerfile:1", "alpine:3", "tools", "broken/none", "hidden", "busybox:1", "alpine"];
        assert_eq!(found.images(), all);
        assert_eq!(found.needed(None), ["alpine", "alpine:3", "busybox:1", "docker/dockerfile:1", "tools"]);
        assert_eq!(found.needed(Some("BUILD")), ["alpine:3", "docker/dockerfile:1", "tools"]);
        let found = Dockerfile::parse(TEXT, &BTreeMap::from([("BASE", "debian"), ("TAG", ""), ("PATH", "x")]));
        assert_eq!(found.needed(Some("build")), ["debian:9", "docker/dockerfile:1", "tools"]);
    }

    #[test]
    fn arguments_that_make_a_name() {
        let text = "ARG A\nARG B=build/x\nFROM w-${B} AS one\nFROM ${A:+set}x\nFROM one\n";
        assert_eq!(Dockerfile::parse(text, &BTreeMap::new()).images(), ["w-build/x", "x"]);
        let given = BTreeMap::from([("A", "1"), ("B", "y")]);
        assert_eq!(Dockerfile::parse(text, &given).images(), ["w-y", "setx"]);
    }
}
