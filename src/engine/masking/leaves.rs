//! Pure: the texts and numbers inside JSON and inside expressions of Terraform.
//!
//! Any text is read, also one that is not valid: what looks like a quoted text, a heredoc or a number is a leaf. The names of fields
//! are none, unless they look like values.

use zeroize::Zeroizing;

/// The shortest text that is masked, in characters.
pub(super) const SHORTEST: usize = 4;

/// How deep texts that are structured values themselves are read.
const DEEPEST: usize = 4;

/// The shortest name of a field that may be a value, in characters.
const SHORTEST_NAME: usize = 8;

/// Words that are no secret.
const LITERALS: [&str; 5] = ["true", "false", "null", "none", "undefined"];

/// Whether a value is a collection or a quoted text.
pub(super) fn is_structured(value: &str) -> bool {
    value.trim_start().starts_with(['{', '[', '"']) || value.trim_start().starts_with("<<")
}

/// The texts and numbers inside a structured value that are long enough to be masked.
#[must_use]
pub fn leaves(value: &str) -> Zeroizing<Vec<String>> {
    let mut found = Zeroizing::new(Vec::new());
    collect(value, 0, &mut found);
    found.retain(|leaf| {
        let leaf = leaf.trim();
        leaf.chars().count() >= SHORTEST && !LITERALS.contains(&leaf.to_lowercase().as_str())
    });
    found
}

fn collect(value: &str, depth: usize, found: &mut Vec<String>) {
    let (mut rest, mut before) = (value, ' ');
    while let Some(first) = rest.chars().next() {
        let chosen = before == '?';
        if !first.is_whitespace() {
            before = first;
        }
        rest = match first {
            '"' => {
                let (parts, behind) = quoted(rest.get(1..).unwrap_or_default(), depth, found);
                let next = behind.trim_start();
                // The name of a field; but a text before the colon of a condition is a value.
                let is_name = (next.starts_with('=') && !next.starts_with("==")) || (next.starts_with(':') && !chosen);
                add(parts.into_iter().filter(|part| !is_name || looks_like_value(part)), depth, found);
                behind
            }
            '<' if rest.starts_with("<<") => heredoc(rest, depth, found),
            '#' => behind(rest, "\n"),
            '/' if rest.starts_with("//") => behind(rest, "\n"),
            '/' if rest.starts_with("/*") => behind(rest, "*/"),
            letter if letter.is_ascii_digit() => number(rest, found),
            letter if letter.is_alphabetic() || letter == '_' => {
                let is_name = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '-' | '.');
                rest.trim_start_matches(is_name)
            }
            other => rest.get(other.len_utf8()..).unwrap_or_default(),
        };
    }
}

/// What follows a mark; nothing if the mark is missing.
fn behind<'a>(text: &'a str, mark: &str) -> &'a str {
    text.split_once(mark).map_or("", |(_, rest)| rest)
}

/// Adds texts, and what is inside them.
fn add(texts: impl Iterator<Item = String>, depth: usize, found: &mut Vec<String>) {
    for text in texts {
        if depth < DEEPEST && is_structured(&text) {
            collect(&text, depth + 1, found);
        }
        found.push(text);
    }
}

/// Reads a text up to its closing quote, and returns its parts around interpolations and what follows.
fn quoted<'a>(text: &'a str, depth: usize, found: &mut Vec<String>) -> (Vec<String>, &'a str) {
    let (mut part, mut parts) = (String::new(), Vec::new());
    let mut letters = text.char_indices();
    let mut rest = "";
    while let Some((place, letter)) = letters.next() {
        let ahead = text.get(place..).unwrap_or_default();
        match letter {
            '"' => {
                rest = ahead.get(1..).unwrap_or_default();
                break;
            }
            '\\' => escape(&mut letters, &mut part),
            '$' | '%' if ahead.starts_with("$${") || ahead.starts_with("%%{") => {
                part.push(letter);
                part.push('{');
                letters.nth(1);
            }
            '$' | '%' if ahead.get(1..).is_some_and(|ahead| ahead.starts_with('{')) => {
                parts.push(std::mem::take(&mut part));
                let inside = interpolation(ahead.get(2..).unwrap_or_default());
                if depth < DEEPEST {
                    collect(inside, depth + 1, found);
                }
                let end = place + 2 + inside.len();
                while letters.next().is_some_and(|(place, _)| place < end) {}
            }
            other => part.push(other),
        }
    }
    parts.push(part);
    (parts, rest)
}

/// Whether the name of a field is more than a word.
fn looks_like_value(name: &str) -> bool {
    let is_word = |letter: char| letter.is_alphabetic() || matches!(letter, '_' | '-' | '.' | '/' | ' ');
    name.chars().count() >= SHORTEST_NAME && !name.chars().all(is_word)
}

/// The expression up to the brace that closes it.
fn interpolation(text: &str) -> &str {
    let (mut depth, mut in_quotes, mut escaped) = (0_usize, false, false);
    for (place, letter) in text.char_indices() {
        match letter {
            _ if escaped => escaped = false,
            '\\' if in_quotes => escaped = true,
            '"' => in_quotes = !in_quotes,
            '{' if !in_quotes => depth += 1,
            '}' if !in_quotes && depth == 0 => return text.get(..place).unwrap_or_default(),
            '}' if !in_quotes => depth -= 1,
            _ => {}
        }
    }
    text
}

/// Adds the character that follows a backslash stands for.
fn escape(letters: &mut std::str::CharIndices<'_>, part: &mut String) {
    let Some((_, letter)) = letters.next() else { return };
    match letter {
        'n' => part.push('\n'),
        'r' => part.push('\r'),
        't' => part.push('\t'),
        'b' => part.push('\u{8}'),
        'f' => part.push('\u{c}'),
        'u' => {
            let Some(first) = hexadecimal(letters, 4) else { return };
            let mut second = letters.clone();
            let is_pair = (0xd800..0xdc00).contains(&first)
                && second.next().is_some_and(|(_, letter)| letter == '\\')
                && second.next().is_some_and(|(_, letter)| letter == 'u');
            let low = if is_pair { hexadecimal(&mut second, 4) } else { None };
            match low.filter(|low| (0xdc00..0xe000).contains(low)) {
                Some(low) => {
                    *letters = second;
                    part.extend(char::from_u32(0x1_0000 + ((first - 0xd800) << 10) + (low - 0xdc00)));
                }
                None => part.extend(char::from_u32(first)),
            }
        }
        'U' => part.extend(hexadecimal(letters, 8).and_then(char::from_u32)),
        other => part.push(other),
    }
}

fn hexadecimal(letters: &mut std::str::CharIndices<'_>, digits: usize) -> Option<u32> {
    let text: String = letters.by_ref().take(digits).map(|(_, letter)| letter).collect();
    u32::from_str_radix(&text, 16).ok().filter(|_| text.len() == digits)
}

/// Reads a heredoc (`<<END` or `<<-END`, up to a line with the same word), and returns what follows.
fn heredoc<'a>(text: &'a str, depth: usize, found: &mut Vec<String>) -> &'a str {
    let (head, body) = text.split_once('\n').unwrap_or((text, ""));
    let word = head.trim_start_matches('<').trim_start_matches('-').trim();
    if word.is_empty() || !word.chars().all(|letter| letter.is_alphanumeric() || matches!(letter, '_' | '-' | '.')) {
        return text.get(1..).unwrap_or_default();
    }
    let mut end = 0;
    let mut lines = Vec::new();
    for line in body.split_inclusive('\n') {
        end += line.len();
        if line.trim() == word {
            break;
        }
        lines.push(line);
    }
    let content = lines.concat();
    if depth < DEEPEST && is_structured(&content) {
        collect(&content, depth + 1, found);
    }
    let indents = lines.iter().filter(|line| !line.trim().is_empty());
    let indent = indents.map(|line| line.len() - line.trim_start().len()).min().unwrap_or(0);
    if indent > 0 {
        found.push(lines.iter().map(|line| line.get(indent..).unwrap_or("\n")).collect());
    }
    found.push(content);
    body.get(end..).unwrap_or_default()
}

/// Reads a number, and returns what follows. A number is printed as it is written, or without its exponent.
fn number<'a>(text: &'a str, found: &mut Vec<String>) -> &'a str {
    let mut before = ' ';
    let end = text.find(|letter: char| {
        let sign = matches!(letter, '+' | '-') && matches!(before, 'e' | 'E');
        before = letter;
        !(letter.is_alphanumeric() || matches!(letter, '.' | '_') || sign)
    });
    let (digits, rest) = text.split_at(end.unwrap_or(text.len()));
    found.push(digits.to_owned());
    let plain = digits.parse::<f64>().ok().filter(|value| value.is_finite()).map(|value| value.to_string());
    found.extend(plain.filter(|plain| plain != digits));
    rest
}

#[cfg(test)]
mod tests {
    use super::leaves;

    #[test]
    fn every_text_and_number_of_an_expression_is_a_leaf() {
        for (value, expected) in [
            (r#"{ password = "p4ss,word", user = "admin", port = 5432 }"#, vec!["p4ss,word", "admin", "5432"]),
            (r#"["one1", ["two2", {a = {b = "three"}}], 1.5e3]"#, vec!["one1", "two2", "three", "1.5e3", "1500"]),
            (
                r#"{"a": "q\"uo\\te\n", "b": "\u00e9t\u00e9s", "c": "\ud83d\ude00 face"}"#,
                vec!["q\"uo\\te\n", "\u{e9}t\u{e9}s", "\u{1f600} face"],
            ),
            ("[true, false, null, \"true\", 12]", vec![]),
            (r#"merge({a = "first"}, var.x ? "second" : "third")"#, vec!["first", "second", "third"]),
            (r#""head${upper("inner")}tail $${kept}""#, vec!["inner", "head", "tail ${kept}"]),
            ("{ # \"comment\"\n a = \"text\" // \"more\"\n /* \"and\" */ b = \"last\" }", vec!["text", "last"]),
            ("<<EOT\nline one\nline two\nEOT\n", vec!["line one\nline two\n"]),
            (
                "{ a = <<-END\n    one1\n      two\n  END\n  b = \"after\" }",
                vec!["one1\n  two\n", "    one1\n      two\n", "after"],
            ),
            (
                r#"{"token 4711 of x": 1, "username": "some", "abc12345": "else"}"#,
                vec!["token 4711 of x", "some", "abc12345", "else"],
            ),
            (r#"{"inner": "{\"deep\": \"down below\"}"}"#, vec!["down below", r#"{"deep": "down below"}"#]),
            ("\"never closed", vec!["never closed"]),
            ("${a} \\ \u{e9} 'x' <<", vec![]),
        ] {
            assert_eq!(*leaves(value), expected, "{value}");
        }
    }
}
