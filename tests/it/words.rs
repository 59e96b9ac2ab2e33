//! The words that users read: no phrase in them that the project has agreed to avoid, and no reason without a subject.
//!
//! Read are the string literals of `src`, the descriptions in `api-spec`, the README and the pages of `docs`, and the doc
//! comments that become the help of the command line. Comments and tests are free.

use std::fs;
use std::path::{Path, PathBuf};

/// A phrase to avoid, and what to write instead.
const AVOID: [(&str, &str); 9] = [
    ("face", "API"),
    ("faces", "APIs"),
    ("told of", "is notified of, or reports"),
    ("made up for", "caught up"),
    ("comes round", "ticks"),
    ("for good", "forever, or permanently"),
    ("by hand", "manually"),
    ("what a runner executes", "a step"),
    ("polite", "SIGTERM, or graceful"),
];
/// The same for numbers, whose replacement depends on the sentence.
const SO_MANY: (&str, &str) = ("so many", "several, or up to this many");

/// A text that users read.
struct Text {
    file: PathBuf,
    /// Each character with its line. A run of white space is one blank.
    characters: Vec<(char, usize)>,
}

impl Text {
    fn new(file: &Path) -> Self {
        Self { file: file.to_owned(), characters: Vec::new() }
    }

    fn push(&mut self, character: char, line: usize) {
        if !character.is_whitespace() {
            self.characters.push((character, line));
        } else if self.characters.last().is_some_and(|(last, _)| *last != ' ') {
            self.characters.push((' ', line));
        }
    }

    fn push_line(&mut self, text: &str, line: usize) {
        text.chars().chain(['\n']).for_each(|character| self.push(character, line));
    }

    /// The line of every place where a phrase stands as whole words, in any case.
    fn lines_of(&self, phrase: &str) -> Vec<usize> {
        let text: Vec<char> = self.characters.iter().map(|(character, _)| character.to_ascii_lowercase()).collect();
        let phrase: Vec<char> = phrase.chars().collect();
        let is_letter =
            |place: Option<usize>| place.and_then(|place| text.get(place)).is_some_and(|c| c.is_alphanumeric());
        let places = text.windows(phrase.len()).enumerate().filter(|(_, window)| *window == phrase);
        let whole = places.filter(|(at, _)| !is_letter(at.checked_sub(1)) && !is_letter(Some(at + phrase.len())));
        whole.map(|(at, _)| self.characters[at].1).collect()
    }

    fn starts_with(&self, start: &str) -> bool {
        self.characters.iter().map(|(character, _)| *character).take(start.len()).eq(start.chars())
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

/// All files of a folder and the folders in it that have this extension, by their paths from the root.
fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(root().join(folder)).unwrap().flatten() {
        let path = entry.path().strip_prefix(root()).unwrap().to_owned();
        if entry.path().is_dir() {
            found.extend(files(path.to_str().unwrap(), extension));
        } else if path.extension().is_some_and(|own| own == extension) {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn read(file: &Path) -> String {
    fs::read_to_string(root().join(file)).unwrap()
}

/// The string literals of a Rust file, without those of its tests.
fn literals(file: &Path, source: &str) -> Vec<Text> {
    let mut lexer = Lexer { characters: source.chars().collect(), at: 0, line: 1 };
    let mut found = Vec::new();
    // The depth of braces at which an item of tests began, once its attribute was seen.
    let (mut depth, mut test): (usize, Option<usize>) = (0, None);
    while let Some(character) = lexer.peek(0) {
        if lexer.skip_comment() || lexer.skip_character() {
            continue;
        }
        if let Some(literal) = lexer.literal(file) {
            if test.is_none() {
                found.push(literal);
            }
            continue;
        }
        if lexer.sees("#[cfg(test)]") {
            test = test.or(Some(depth));
        }
        match character {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if matches!(character, '}' | ';') && test == Some(depth) {
            test = None;
        }
        lexer.next();
    }
    found
}

/// Tells strings from comments and characters.
struct Lexer {
    characters: Vec<char>,
    at: usize,
    line: usize,
}

impl Lexer {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.characters.get(self.at + ahead).copied()
    }

    fn sees(&self, text: &str) -> bool {
        text.chars().enumerate().all(|(ahead, character)| self.peek(ahead) == Some(character))
    }

    fn next(&mut self) -> Option<char> {
        let character = self.peek(0)?;
        self.at += 1;
        self.line += usize::from(character == '\n');
        Some(character)
    }

    fn skip_comment(&mut self) -> bool {
        let end = match (self.sees("//"), self.sees("/*")) {
            (true, _) => "\n",
            (_, true) => "*/",
            _ => return false,
        };
        while !self.sees(end) && self.next().is_some() {}
        true
    }

    /// Skips `'"'` and `'\''`; what begins a lifetime is no character.
    fn skip_character(&mut self) -> bool {
        let length = match (self.peek(0), self.peek(1), self.peek(2)) {
            (Some('\''), Some('\\'), Some(_)) => 3,
            (Some('\''), Some(_), Some('\'')) => 2,
            _ => return false,
        };
        for _ in 0..length {
            self.next();
        }
        while self.next().is_some_and(|character| character != '\'') {}
        true
    }

    /// The string that begins here, with its escapes resolved.
    fn literal(&mut self, file: &Path) -> Option<Text> {
        let hashes = (1..).take_while(|ahead| self.peek(*ahead) == Some('#')).count();
        let before = self.at.checked_sub(1).map(|before| self.characters[before]);
        let is_raw = self.peek(0) == Some('r')
            && self.peek(1 + hashes) == Some('"')
            && !before.is_some_and(|before| before.is_alphanumeric() || before == '_');
        if !is_raw && self.peek(0) != Some('"') {
            return None;
        }
        let end = if is_raw { format!("\"{}", "#".repeat(hashes)) } else { "\"".into() };
        for _ in 0..if is_raw { 2 + hashes } else { 1 } {
            self.next();
        }
        let mut text = Text::new(file);
        while !self.sees(&end) {
            let line = self.line;
            let character = self.next().expect("a string ends");
            if is_raw || character != '\\' {
                text.push(character, line);
                continue;
            }
            match self.next() {
                // The line goes on in the next one.
                Some('\n') => while self.peek(0).is_some_and(char::is_whitespace) && self.next().is_some() {},
                Some('n' | 't' | 'r') => text.push(' ', line),
                Some(escaped) => text.push(escaped, line),
                None => {}
            }
        }
        for _ in end.chars() {
            self.next();
        }
        Some(text)
    }
}

/// The doc comments of a Rust file, each as one text.
fn doc_comments(file: &Path, source: &str) -> Vec<Text> {
    let mut found: Vec<Text> = Vec::new();
    let mut last = 0;
    for (number, line) in (1..).zip(source.lines()) {
        let Some(text) = line.trim_start().strip_prefix("///") else { continue };
        if last + 1 != number || found.is_empty() {
            found.push(Text::new(file));
        }
        found.last_mut().unwrap().push_line(text, number);
        last = number;
    }
    found
}

/// The descriptions and summaries of an API description, which may go on in lines that are indented deeper.
fn descriptions(file: &Path, source: &str) -> Vec<Text> {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let lines: Vec<&str> = source.lines().collect();
    let mut found = Vec::new();
    for (place, line) in lines.iter().enumerate() {
        let start = ["description: ", "summary: "].iter().find_map(|key| line.find(key).map(|at| at + key.len()));
        let Some(start) = start.filter(|_| !line.trim_start().starts_with('#')) else { continue };
        let mut text = Text::new(file);
        text.push_line(&line[start..], place + 1);
        let more = lines[place + 1..].iter().take_while(|next| next.trim().is_empty() || indent(next) > indent(line));
        for (next, number) in more.zip(place + 2..) {
            text.push_line(next, number);
        }
        found.push(text);
    }
    found
}

/// A page as one text.
fn page(file: &Path, source: &str) -> Text {
    let mut text = Text::new(file);
    (1..).zip(source.lines()).for_each(|(number, line)| text.push_line(line, number));
    text
}

fn phrases(texts: &[Text]) -> Vec<String> {
    let mut found = Vec::new();
    for text in texts {
        for (phrase, better) in AVOID.iter().chain([&SO_MANY]) {
            let lines = text.lines_of(phrase);
            found
                .extend(lines.iter().map(|line| format!("{}:{line}: {phrase:?}; write {better}", text.file.display())));
        }
    }
    found
}

fn source_files() -> Vec<PathBuf> {
    // Tests that have a file of their own.
    files("src", "rs").into_iter().filter(|file| !file.to_str().unwrap().ends_with("_tests.rs")).collect()
}

#[test]
fn users_read_plain_words() {
    let mut texts = Vec::new();
    for file in source_files() {
        texts.extend(literals(&file, &read(&file)));
        if file.starts_with("src/bin/windlass") || file == Path::new("src/config.rs") {
            texts.extend(doc_comments(&file, &read(&file)));
        }
    }
    for file in files("api-spec", "yaml") {
        texts.extend(descriptions(&file, &read(&file)));
    }
    for file in files("docs", "md").into_iter().chain(["README.md".into()]) {
        texts.push(page(&file, &read(&file)));
    }
    assert!(texts.len() > 2000, "only {} texts were found", texts.len());
    let mut found = phrases(&texts);
    found.sort();
    found.dedup();
    assert!(found.is_empty(), "{} phrases to avoid:\n{}", found.len(), found.join("\n"));
}

/// A reason is often read alone, far from what it is about.
#[test]
fn reasons_name_their_subject() {
    let texts = source_files().into_iter().flat_map(|file| literals(&file, &read(&file)));
    let wrong = texts.filter(|text| text.starts_with("it "));
    let wrong: Vec<String> = wrong
        .map(|text| {
            let words: String = text.characters.iter().map(|(character, _)| character).take(60).collect();
            format!("{}:{}: {words:?}", text.file.display(), text.characters[0].1)
        })
        .collect();
    assert!(wrong.is_empty(), "{} texts begin with \"it\":\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn texts_and_phrases_are_found() {
    let source = "// \"for good\"\nfn a<'a>(x: &'a str) {\n    let _ = ('\"', '\\'', b'{');\n    say(\"it ends for \\\n        good\");\n\
        \x20   say(r#\"told \"of\" a surface\"#, \"by\\nhand\");\n}\n#[cfg(test)]\nmod tests {\n    const A: &str = \"polite {\";\n}\n\
        const B: &str = \"Polite, so  many\";\n";
    let texts = literals(Path::new("a.rs"), source);
    assert_eq!(texts.len(), 4);
    assert!(texts[0].starts_with("it ") && !texts[1].starts_with("it "));
    let found = phrases(&texts);
    let lines: Vec<&str> = found.iter().map(|line| line.split_once(';').unwrap().0).collect();
    assert_eq!(lines, ["a.rs:4: \"for good\"", "a.rs:6: \"by hand\"", "a.rs:12: \"polite\"", "a.rs:12: \"so many\""]);
    let spec = "# The face.\na:\n  description: 'Runs comes\n    round'\n  type: object\nb: {type: string, summary: By hand}\n";
    let found = phrases(&descriptions(Path::new("a.yaml"), spec));
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].starts_with("a.yaml:3: \"comes round\"") && found[1].starts_with("a.yaml:6: \"by hand\""));
    let help = "/// Told\n/// of runs.\npub a: u8,\n/// For\nb: u8,\n/// good.\n";
    assert_eq!(phrases(&doc_comments(Path::new("a.rs"), help)).len(), 1);
}
