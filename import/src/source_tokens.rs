//! Pure: the words of source code in Java and Kotlin, without its comments.

/// A part of source code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    Word(String),
    /// What is between quotes, with its escapes resolved.
    Text(String),
    Mark(char),
}

impl Token {
    pub(crate) fn is_mark(&self, mark: char) -> bool {
        *self == Self::Mark(mark)
    }

    pub(crate) fn is_word(&self, word: &str) -> bool {
        matches!(self, Self::Word(own) if own == word)
    }
}

/// The tokens of a text, with their lines.
pub(crate) fn tokens(text: &str) -> Vec<(Token, usize)> {
    let mut found = Vec::new();
    let mut rest = text;
    let mut line = 1;
    while let Some(letter) = rest.chars().next() {
        let (token, length) = next(rest, letter);
        if let Some(token) = token {
            found.push((token, line));
        }
        let (passed, after) = rest.split_at_checked(length).unwrap_or((rest, ""));
        line += passed.matches('\n').count();
        rest = after;
    }
    found
}

/// The token at the beginning of a text, unless it is blank or a comment, and its length in bytes.
fn next(rest: &str, letter: char) -> (Option<Token>, usize) {
    if rest.starts_with("//") {
        return (None, rest.find('\n').unwrap_or(rest.len()));
    }
    if rest.starts_with("/*") {
        return (None, rest.find("*/").map_or(rest.len(), |end| end + 2));
    }
    if let Some(inner) = rest.strip_prefix("\"\"\"") {
        let length = inner.find("\"\"\"").unwrap_or(inner.len());
        let text = inner.get(..length).unwrap_or_default().trim();
        return (Some(Token::Text(text.to_owned())), length + 6);
    }
    if letter == '"' || letter == '\'' {
        let (text, length) = quoted(rest, letter);
        return (Some(Token::Text(text)), length);
    }
    if letter.is_alphanumeric() || letter == '_' || letter == '$' {
        let is_part = |letter: char| letter.is_alphanumeric() || letter == '_' || letter == '$';
        let length = rest.find(|letter| !is_part(letter)).unwrap_or(rest.len());
        return (rest.get(..length).map(|word| Token::Word(word.to_owned())), length);
    }
    (Some(letter).filter(|letter| !letter.is_whitespace()).map(Token::Mark), letter.len_utf8())
}

/// A text in quotes at the beginning, and its length with the quotes.
fn quoted(rest: &str, quote: char) -> (String, usize) {
    let mut text = String::new();
    let mut letters = rest.char_indices().skip(1);
    while let Some((place, letter)) = letters.next() {
        match letter {
            '\\' => match letters.next() {
                Some((_, 'n')) => text.push('\n'),
                Some((_, 't')) => text.push('\t'),
                Some((_, escaped)) => text.push(escaped),
                None => {}
            },
            '\n' => return (text, place),
            letter if letter == quote => return (text, place + 1),
            letter => text.push(letter),
        }
    }
    (text, rest.len())
}

#[cfg(test)]
mod tests {
    use super::{Token, tokens};

    #[test]
    fn source_becomes_tokens() {
        let text = "// \"no\"\n/* a\n b */ @A(b = \"x\\\"\\$y\", 'c')\n\"\"\"\nz\"\"\"\n\"open";
        let expected = [
            (Token::Mark('@'), 3),
            (Token::Word("A".into()), 3),
            (Token::Mark('('), 3),
            (Token::Word("b".into()), 3),
            (Token::Mark('='), 3),
            (Token::Text("x\"$y".into()), 3),
            (Token::Mark(','), 3),
            (Token::Text("c".into()), 3),
            (Token::Mark(')'), 3),
            (Token::Text("z".into()), 4),
            (Token::Text("open".into()), 6),
        ];
        assert_eq!(tokens(text), expected);
    }
}
