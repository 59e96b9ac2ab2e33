//! Pure: the forms in which tools print a text without being asked to: escaped for JSON, Terraform, shells and URLs, and in base64.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

/// The longest text of which all forms are known, in bytes. Of a longer one, such as a file, it is those of JSON and base64.
const LONGEST: usize = 16 * 1024;

/// The shortest piece of base64 that is searched for: shorter ones occur by chance.
const SHORTEST_BASE64: usize = 4;

/// The lengths of lines at which base64 is wrapped, by `base64` and by PEM.
const WRAPPED: [usize; 2] = [76, 64];

/// A text in all of its forms, without duplicates. A form may have several lines, separated by line feeds.
pub(super) fn forms(text: &str) -> Zeroizing<Vec<String>> {
    let plain = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut found = Zeroizing::new(Vec::new());
    json(&plain, &mut found);
    base64(&plain, &mut found);
    if plain != text {
        json(text, &mut found);
        base64(text, &mut found);
    }
    if text.len() <= LONGEST {
        shell(&plain, &mut found);
        url(&plain, &mut found);
        if plain != text {
            url(text, &mut found);
        }
    }
    found.push(plain);
    found.sort();
    found.dedup();
    found
}

/// How an encoder of JSON writes what it need not escape.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Json {
    /// Unchanged.
    Plain,
    /// `<`, `>` and `&` as for HTML, as Go and Terraform do.
    Html,
    /// Whatever is not ASCII, as Python does.
    Ascii,
    /// The same, and `/`, as PHP does.
    AsciiAndSlash,
    /// Everything that matters to HTML or is not ASCII, with upper-case digits, as .NET does.
    Strict,
}

/// The forms in JSON, in JSON inside JSON, and in texts of Terraform.
fn json(text: &str, found: &mut Vec<String>) {
    for kind in [Json::Plain, Json::Html, Json::Ascii, Json::AsciiAndSlash, Json::Strict] {
        let once = json_text(text, kind);
        let twice = json_text(&once, Json::Plain);
        let templates = [&once, &twice].map(|form| form.replace("${", "$${").replace("%{", "%%{"));
        found.extend(templates);
        found.push(once);
        found.push(twice);
    }
}

fn json_text(text: &str, kind: Json) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for letter in text.chars() {
        let is_escaped = match kind {
            Json::Plain => false,
            Json::Html => matches!(letter, '<' | '>' | '&' | '\u{2028}' | '\u{2029}'),
            Json::Ascii | Json::AsciiAndSlash => !letter.is_ascii(),
            Json::Strict => !letter.is_ascii() || matches!(letter, '<' | '>' | '&' | '"' | '\'' | '+' | '`'),
        };
        match letter {
            _ if is_escaped => units(letter, kind, &mut out),
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '/' if kind == Json::AsciiAndSlash => out.push_str("\\/"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            control if u32::from(control) < 0x20 => units(control, kind, &mut out),
            other => out.push(other),
        }
    }
    out
}

/// Writes the UTF-16 units of a character.
fn units(letter: char, kind: Json, out: &mut String) {
    for unit in letter.encode_utf16(&mut [0; 2]) {
        // Writing to a String cannot fail.
        let _written = match kind {
            Json::Strict => write!(out, "\\u{unit:04X}"),
            _ => write!(out, "\\u{unit:04x}"),
        };
    }
}

/// The forms in which shells, and languages with quotes like theirs, print a text.
fn shell(text: &str, found: &mut Vec<String>) {
    found.push(text.replace('\'', "'\\''"));
    found.push(text.replace('\'', "'\"'\"'"));
    found.push(escaped(text, |letter| matches!(letter, '\\' | '"' | '$' | '`')));
    found.push(escaped(text, |letter| matches!(letter, '\\' | '\'' | '"')));
    for (comma, all) in [(true, false), (false, false), (true, true)] {
        let mut first = true;
        found.push(escaped(text, |letter| {
            let at_start = std::mem::replace(&mut first, false);
            match letter {
                ',' => comma,
                '~' | '#' => at_start || all,
                '=' | '%' | '+' | '@' | ':' | '{' | '}' if all => true,
                ' ' | '\t' | '!' | '"' | '$' | '&' | '\'' | '(' | ')' | '*' | ';' | '<' | '=' | '>' | '?' | '['
                | '\\' | ']' | '^' | '`' | '{' | '|' | '}' => letter != '=',
                _ => false,
            }
        }));
    }
    found.push(quoted_by_dollar(text, false));
    found.push(quoted_by_dollar(text, true));
}

/// The text with a backslash before some characters.
fn escaped(text: &str, mut is_special: impl FnMut(char) -> bool) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for letter in text.chars() {
        if is_special(letter) {
            out.push('\\');
        }
        out.push(letter);
    }
    out
}

/// The text between `$'` and `'`; with `octal`, what is not ASCII is written byte by byte.
fn quoted_by_dollar(text: &str, octal: bool) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for letter in text.chars() {
        match letter {
            '\\' => out.push_str("\\\\"),
            '\'' => out.push_str("\\'"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{b}' => out.push_str("\\v"),
            '\u{c}' => out.push_str("\\f"),
            '\u{1b}' => out.push_str("\\E"),
            other if other.is_ascii_control() || (octal && !other.is_ascii()) => {
                for byte in other.encode_utf8(&mut [0; 4]).bytes() {
                    // Writing to a String cannot fail.
                    let _written = write!(out, "\\{byte:03o}");
                }
            }
            other => out.push(other),
        }
    }
    out
}

/// The characters that encoders of URLs leave unchanged, besides letters and digits: in forms, paths, logins and whole URLs.
const UNCHANGED: [&str; 8] =
    ["-._~", "*-._", "-._~!'()*", "-._~/", "-._~$&+=:@", "-._~$&+,;=", "-._~!'()*;/?:@&=+$,#", "-._~!$&'()*+,;=:@"];

/// The forms in URLs.
fn url(text: &str, found: &mut Vec<String>) {
    for unchanged in UNCHANGED {
        for space in ["%20", "+"] {
            let (mut upper, mut lower) = (String::new(), String::new());
            for letter in text.chars() {
                if letter == ' ' {
                    upper.push_str(space);
                    lower.push_str(space);
                } else if letter.is_ascii_alphanumeric() || unchanged.contains(letter) {
                    upper.push(letter);
                    lower.push(letter);
                } else {
                    for byte in letter.encode_utf8(&mut [0; 4]).bytes() {
                        // Writing to a String cannot fail.
                        let _written = (write!(upper, "%{byte:02X}"), write!(lower, "%{byte:02x}"));
                    }
                }
            }
            found.push(upper);
            found.push(lower);
        }
    }
}

/// The forms in base64: of the text alone, and of the text inside a longer one, at each of the three places in a group of bytes. Inside
/// a longer one, characters that also depend on what is before or behind it are left out.
fn base64(text: &str, found: &mut Vec<String>) {
    for (before, unknown) in [(0, 0), (1, 2), (2, 3)] {
        let bytes = Zeroizing::new([&[0].repeat(before), text.as_bytes()].concat());
        let known = bytes.len() * 8 / 6;
        for encoded in [STANDARD_NO_PAD.encode(&*bytes), URL_SAFE_NO_PAD.encode(&*bytes)] {
            let ends = [known, encoded.len()].into_iter().filter_map(|end| encoded.get(unknown..end));
            found.extend(ends.filter(|form| form.len() >= SHORTEST_BASE64).map(str::to_owned));
            let wraps = WRAPPED.into_iter().filter(|width| before == 0 && encoded.len() > *width);
            for line in wraps.flat_map(|width| lines(&encoded, width)).filter(|line| line.len() >= SHORTEST_BASE64) {
                found.push(line.to_owned());
            }
        }
    }
}

/// A text of ASCII characters in lines.
fn lines(text: &str, width: usize) -> impl Iterator<Item = &str> {
    (0..text.len()).step_by(width).filter_map(move |begin| text.get(begin..text.len().min(begin + width)))
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE};

    use super::forms;

    #[track_caller]
    fn knows(text: &str, form: &str) {
        let found = forms(text);
        assert!(found.iter().any(|known| known == form), "{form} is no form of {text}: {found:?}");
    }

    #[test]
    fn escapes_of_json_and_terraform() {
        for form in [
            "p<a>&\"\\/é\u{1f600}",
            r#"p<a>&\"\\/é😀"#,
            r#"p\u003ca\u003e\u0026\"\\/é😀"#,
            r#"p\\u003ca\\u003e\\u0026\\\"\\\\/é😀"#,
            r#"p<a>&\"\\/\u00e9\ud83d\ude00"#,
            r#"p<a>&\"\\\/\u00e9\ud83d\ude00"#,
            r"p\u003Ca\u003E\u0026\u0022\\/\u00E9\uD83D\uDE00",
        ] {
            knows("p<a>&\"\\/é\u{1f600}", form);
        }
        knows("${x} %{y}\t\u{1}", r"$${x} %%{y}\t\u0001");
        knows("one\r\ntwo", r"one\r\ntwo");
        knows("one\r\ntwo", r"one\ntwo");
    }

    #[test]
    fn quotes_of_shells() {
        for form in [
            r"it'\''s $5, {a}",
            r#"it'"'"'s $5, {a}"#,
            r"it\'s $5, {a}",
            r"it's \$5, {a}",
            r"it\'s\ \$5\,\ \{a\}",
            r"it\'s\ \$5,\ \{a\}",
        ] {
            knows("it's $5, {a}", form);
        }
        knows("a\nb\u{1b}é", r"a\nb\E\303\251");
    }

    #[test]
    fn escapes_of_urls() {
        for form in [
            "p%40ss%2Fw%20%C3%A9~%2A%27",
            "p%40ss%2fw%20%c3%a9~%2a%27",
            "p%40ss%2Fw+%C3%A9~%2A%27",
            "p%40ss%2Fw+%C3%A9%7E*%27",
            "p%40ss%2Fw%20%C3%A9~*'",
            "p%40ss/w%20%C3%A9~%2A%27",
            "p@ss%2Fw%20%C3%A9~%2A%27",
        ] {
            knows("p@ss/w é~*'", form);
        }
    }

    /// Base64 of a text inside a longer one contains a form of it, whatever is around it.
    #[test]
    fn base64_at_every_place() {
        for secret in [
            "hunter22",
            "s?cr>t~~",
            "\u{ff}\u{fe}\u{fd}x",
            "five5",
            "a longer secret, of more than one line of base64 as it is wrapped",
        ] {
            let forms = forms(secret);
            for before in ["", "u", "us", "user:", "Aladdin:"] {
                for behind in ["", "\n", "@host", "??"] {
                    let text = format!("{before}{secret}{behind}");
                    for encoded in [STANDARD.encode(&text), URL_SAFE.encode(&text)] {
                        assert!(forms.iter().any(|form| encoded.contains(form)), "{secret} in {encoded}");
                    }
                }
            }
            let alone = STANDARD.encode(secret);
            assert!(forms.iter().any(|form| form == alone.trim_end_matches('=')), "{secret}");
        }
    }
}
