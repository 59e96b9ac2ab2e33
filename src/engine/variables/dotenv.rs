//! Pure: reads variables from a text in the format of dotenv files.
//!
//! A line is `KEY=VALUE`, with `export` before it if you like. A value in double quotes may have several lines and the escapes `\n`,
//! `\r`, `\t`, `\"`, `\\` and `\$`; one in single quotes is taken as it is. Without quotes, a value ends with its line or before ` #`.

/// A variable of the text. No `Debug`: the value may be a secret.
pub struct DotenvEntry {
    /// The number of its line, from 1.
    pub line: usize,
    pub key: String,
    pub value: String,
}

/// The variables of a text, in their order.
///
/// # Errors
/// What is wrong, with the line.
pub fn parse_dotenv(text: &str) -> Result<Vec<DotenvEntry>, String> {
    let (mut entries, mut rest, mut line) = (Vec::new(), text, 1);
    while !rest.is_empty() {
        let (head, behind) = rest.split_once('\n').unwrap_or((rest, ""));
        let trimmed = head.trim();
        if trimmed.is_empty() || trimmed.starts_with('#') {
            (rest, line) = (behind, line + 1);
            continue;
        }
        let Some((name, value)) = rest.split_once('=').filter(|(name, _)| !name.contains('\n')) else {
            return Err(format!("line {line} has no ="));
        };
        let name = name.trim();
        let key = name.strip_prefix("export ").unwrap_or(name).trim().to_owned();
        let (value, behind) = read_value(value).map_err(|reason| format!("line {line}: {reason}"))?;
        entries.push(DotenvEntry { line, key, value });
        let consumed = rest.len() - behind.len();
        line += rest.get(..consumed).unwrap_or_default().matches('\n').count();
        rest = behind;
    }
    Ok(entries)
}

/// A value, and what is behind its line.
fn read_value(text: &str) -> Result<(String, &str), &'static str> {
    let text = text.trim_start_matches([' ', '\t']);
    if let Some(quoted) = text.strip_prefix('\'') {
        let (value, behind) = quoted.split_once('\'').ok_or("the quote ' is not closed")?;
        return Ok((value.to_owned(), end_of_line(behind)?));
    }
    if let Some(quoted) = text.strip_prefix('"') {
        let (mut value, mut letters) = (String::new(), quoted.char_indices());
        while let Some((_, letter)) = letters.next() {
            match letter {
                '"' => return Ok((value, end_of_line(letters.as_str())?)),
                '\\' => match letters.next().map(|(_, letter)| letter) {
                    Some('n') => value.push('\n'),
                    Some('r') => value.push('\r'),
                    Some('t') => value.push('\t'),
                    Some(other @ ('"' | '\\' | '$')) => value.push(other),
                    Some(other) => value.extend(['\\', other]),
                    None => break,
                },
                other => value.push(other),
            }
        }
        return Err("the quote \" is not closed");
    }
    let (head, behind) = text.split_once('\n').unwrap_or((text, ""));
    let value = if head.starts_with('#') { "" } else { head.split(" #").next().unwrap_or(head) };
    Ok((value.trim().to_owned(), behind))
}

/// What is behind the line, which has nothing left but a comment.
fn end_of_line(text: &str) -> Result<&str, &'static str> {
    let (head, behind) = text.split_once('\n').unwrap_or((text, ""));
    let head = head.trim();
    if head.is_empty() || head.starts_with('#') { Ok(behind) } else { Err("there is text behind the closing quote") }
}

#[cfg(test)]
mod tests {
    use super::parse_dotenv;

    fn read(text: &str) -> Vec<(usize, String, String)> {
        parse_dotenv(text).unwrap().into_iter().map(|entry| (entry.line, entry.key, entry.value)).collect()
    }

    #[test]
    fn lines_quotes_and_comments() {
        let text = "# head\nA=1\nexport B = two words # note\n\nC='it''\n";
        assert_eq!(parse_dotenv(text).err().unwrap(), "line 5: there is text behind the closing quote");
        let text = "# head\nA=1\nexport B = two words # note\n\nC='a # b'\nD=\"x\\ny \\\"z\\\" \\q\n2\" # end\nE=\nF=a#b\nG=# c";
        let expected = [
            (2, "A", "1"),
            (3, "B", "two words"),
            (5, "C", "a # b"),
            (6, "D", "x\ny \"z\" \\q\n2"),
            (8, "E", ""),
            (9, "F", "a#b"),
            (10, "G", ""),
        ];
        let expected: Vec<_> =
            expected.map(|(line, key, value)| (line, key.to_owned(), value.to_owned())).into_iter().collect();
        assert_eq!(read(text), expected);
        assert_eq!(read(""), []);
    }

    #[test]
    fn faults_name_the_line() {
        for (text, reason) in [
            ("A=1\nplain", "line 2 has no ="),
            ("plain\nA=1", "line 1 has no ="),
            ("A='open", "line 1: the quote ' is not closed"),
            ("\nA=\"open\nB=1", "line 2: the quote \" is not closed"),
            ("A=\"x\" y", "line 1: there is text behind the closing quote"),
        ] {
            assert_eq!(parse_dotenv(text).err().as_deref(), Some(reason), "{text}");
        }
    }
}
