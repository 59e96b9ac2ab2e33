//! Pure: filters in RSQL (a superset of FIQL), read into a tree of bounded size.
//!
//! ```text
//! any        = all *( ( "," / " or " ) all )
//! all        = term *( ( ";" / " and " ) term )
//! term       = "(" any ")" / selector operator [ value / "(" value *( "," value ) ")" ]
//! ```
//!
//! A value is quoted with ' or ", with \ before what it would end at, or goes on to the next reserved character.
//! Source of the grammar: <https://github.com/jirutka/rsql-parser#grammar-and-semantic>.

use std::fmt;

/// The longest filter, in bytes.
const LENGTH: usize = 8192;
/// How deep groups may be nested.
const DEPTH: usize = 32;
/// The most comparisons of a filter, and values of a comparison.
const TERMS: usize = 256;

/// A filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Filter {
    /// All of them hold.
    All(Vec<Filter>),
    /// One of them holds.
    Any(Vec<Filter>),
    Is(Comparison),
}

/// One comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// A field, or a path to one: `workspace.name`.
    pub selector: String,
    pub operator: Operator,
    /// One for most operators.
    pub values: Vec<String>,
}

/// How a field is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
    NotIn,
    /// As `In`, whatever the case of letters.
    InFolded,
    NotInFolded,
    IsNull,
    Between,
    NotBetween,
}

/// All of them, with how they are written; the first spelling is the canonical one.
const OPERATORS: [(&str, Operator); 17] = [
    ("==", Operator::Equal),
    ("!=", Operator::NotEqual),
    ("=lt=", Operator::Less),
    ("=le=", Operator::LessOrEqual),
    ("=gt=", Operator::Greater),
    ("=ge=", Operator::GreaterOrEqual),
    ("=in=", Operator::In),
    ("=out=", Operator::NotIn),
    ("=ini=", Operator::InFolded),
    ("=outi=", Operator::NotInFolded),
    ("=isnull=", Operator::IsNull),
    ("=between=", Operator::Between),
    ("=notbetween=", Operator::NotBetween),
    ("<=", Operator::LessOrEqual),
    (">=", Operator::GreaterOrEqual),
    ("<", Operator::Less),
    (">", Operator::Greater),
];

/// Why a filter cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused(pub String);

/// What ends a selector and a bare value.
const RESERVED: &str = "\"'();,=!~<> ";

/// Reads a filter.
///
/// # Errors
/// With what was expected, and where.
pub fn parse(text: &str) -> Result<Filter, Refused> {
    if text.len() > LENGTH {
        return Err(Refused(format!("a filter has at most {LENGTH} characters")));
    }
    let mut parser = Parser { text, at: 0, terms: 0 };
    let filter = parser.any(0)?;
    parser.spaces();
    match parser.rest() {
        "" => Ok(filter),
        _ => Err(parser.expected("the end of the filter, ';' or ','")),
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    terms: usize,
}

impl Parser<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn expected(&self, what: &str) -> Refused {
        Refused(format!(
            "expected {what} at character {}",
            self.text.get(..self.at).unwrap_or_default().chars().count() + 1
        ))
    }

    fn spaces(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start_matches(' ').len();
    }

    /// Takes a word if it comes next.
    fn take(&mut self, word: &str) -> bool {
        let there = self.rest().starts_with(word);
        if there {
            self.at += word.len();
        }
        there
    }

    /// Takes what joins two parts, with the spaces around it.
    fn join(&mut self, sign: &str, word: &str) -> bool {
        let before = self.at;
        self.spaces();
        if self.take(sign) {
            return true;
        }
        // A word stands between spaces, or it is the beginning of something else.
        if self.at > before && self.take(word) && self.rest().starts_with([' ', '(']) {
            return true;
        }
        self.at = before;
        false
    }

    fn any(&mut self, depth: usize) -> Result<Filter, Refused> {
        let mut parts = vec![self.all(depth)?];
        while self.join(",", "or") {
            parts.push(self.all(depth)?);
        }
        Ok(one_or(parts, Filter::Any))
    }

    fn all(&mut self, depth: usize) -> Result<Filter, Refused> {
        let mut parts = vec![self.term(depth)?];
        while self.join(";", "and") {
            parts.push(self.term(depth)?);
        }
        Ok(one_or(parts, Filter::All))
    }

    fn term(&mut self, depth: usize) -> Result<Filter, Refused> {
        self.spaces();
        if self.take("(") {
            if depth == DEPTH {
                return Err(Refused(format!("groups are nested at most {DEPTH} deep")));
            }
            let inner = self.any(depth + 1)?;
            self.spaces();
            return if self.take(")") { Ok(inner) } else { Err(self.expected("')'")) };
        }
        self.terms += 1;
        if self.terms > TERMS {
            return Err(Refused(format!("a filter has at most {TERMS} comparisons")));
        }
        let selector = self.bare();
        if selector.is_empty() {
            return Err(self.expected("the name of a field"));
        }
        self.spaces();
        let found = OPERATORS.iter().find(|(text, _)| self.rest().starts_with(text));
        let Some(&(written, operator)) = found else { return Err(self.expected("an operator")) };
        self.at += written.len();
        let values = self.values()?;
        let wanted = match operator {
            Operator::Between | Operator::NotBetween => values.len() == 2,
            Operator::In | Operator::NotIn | Operator::InFolded | Operator::NotInFolded => true,
            _ => values.len() == 1,
        };
        if !wanted {
            return Err(Refused(format!("{written} does not take {} values", values.len())));
        }
        Ok(Filter::Is(Comparison { selector, operator, values }))
    }

    fn values(&mut self) -> Result<Vec<String>, Refused> {
        self.spaces();
        if !self.take("(") {
            return Ok(vec![self.value()?]);
        }
        let mut values = Vec::new();
        loop {
            self.spaces();
            values.push(self.value()?);
            if values.len() > TERMS {
                return Err(Refused(format!("a comparison has at most {TERMS} values")));
            }
            self.spaces();
            if self.take(")") {
                return Ok(values);
            }
            if !self.take(",") {
                return Err(self.expected("',' or ')'"));
            }
        }
    }

    fn bare(&mut self) -> String {
        let rest = self.rest();
        let end = rest.find(|sign| RESERVED.contains(sign)).unwrap_or(rest.len());
        let word = rest.get(..end).unwrap_or_default().to_owned();
        self.at += end;
        word
    }

    fn value(&mut self) -> Result<String, Refused> {
        let Some(quote) = self.rest().chars().next().filter(|sign| ['\'', '"'].contains(sign)) else {
            let word = self.bare();
            return if word.is_empty() { Err(self.expected("a value")) } else { Ok(word) };
        };
        let mut value = String::new();
        let mut signs = self.rest().char_indices().skip(1);
        while let Some((at, sign)) = signs.next() {
            if sign == quote {
                self.at += at + 1;
                return Ok(value);
            }
            match sign {
                '\\' => value.extend(signs.next().map(|(_, sign)| sign)),
                sign => value.push(sign),
            }
        }
        Err(self.expected(&format!("an end of what begins with {quote}")))
    }
}

fn one_or(mut parts: Vec<Filter>, join: fn(Vec<Filter>) -> Filter) -> Filter {
    match (parts.pop(), parts.is_empty()) {
        (Some(only), true) => only,
        (last, _) => {
            parts.extend(last);
            join(parts)
        }
    }
}

/// As a filter that reads the same.
impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let joined = |f: &mut fmt::Formatter<'_>, parts: &[Filter], sign: &str| {
            for (number, part) in parts.iter().enumerate() {
                f.write_str(if number == 0 { "" } else { sign })?;
                match part {
                    Filter::Is(one) => write!(f, "{one}")?,
                    group => write!(f, "({group})")?,
                }
            }
            Ok(())
        };
        match self {
            Self::All(parts) => joined(f, parts, ";"),
            Self::Any(parts) => joined(f, parts, ","),
            Self::Is(one) => write!(f, "{one}"),
        }
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let written = OPERATORS.iter().find(|(_, operator)| *operator == self.operator).map_or("==", |(text, _)| *text);
        let quoted = |value: &String| format!("'{}'", value.replace('\\', "\\\\").replace('\'', "\\'"));
        let values: Vec<String> = self.values.iter().map(quoted).collect();
        let one = values.len() == 1 && !matches!(self.operator, Operator::In | Operator::NotIn);
        match values.as_slice() {
            [only] if one => write!(f, "{}{written}{only}", self.selector),
            all => write!(f, "{}{written}({})", self.selector, all.join(",")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is(selector: &str, operator: Operator, values: &[&str]) -> Filter {
        let values = values.iter().map(|value| (*value).to_owned()).collect();
        Filter::Is(Comparison { selector: selector.into(), operator, values })
    }

    #[test]
    fn what_clients_send() {
        assert_eq!(parse("name==Plan"), Ok(is("name", Operator::Equal, &["Plan"])));
        assert_eq!(parse("name=='Plan and apply'"), Ok(is("name", Operator::Equal, &["Plan and apply"])));
        assert_eq!(parse("name==*part*"), Ok(is("name", Operator::Equal, &["*part*"])));
        let expected = Filter::All(vec![
            is("active", Operator::Equal, &["true"]),
            is("type", Operator::In, &["Workspace/Action"]),
        ]);
        assert_eq!(parse("active==true;type=in=('Workspace/Action')"), Ok(expected));
        assert_eq!(parse("id=in=(1, 2 ,3)"), Ok(is("id", Operator::In, &["1", "2", "3"])));
        assert_eq!(
            parse("createdDate>=2026-11-25T01:02Z"),
            Ok(is("createdDate", Operator::GreaterOrEqual, &["2026-11-25T01:02Z"]))
        );
        assert_eq!(parse("a=between=(1,2)"), Ok(is("a", Operator::Between, &["1", "2"])));
    }

    #[test]
    fn and_binds_tighter_than_or() {
        let (a, b, c) =
            (is("a", Operator::Equal, &["1"]), is("b", Operator::Equal, &["2"]), is("c", Operator::Less, &["3"]));
        let tight = Filter::Any(vec![a.clone(), Filter::All(vec![b.clone(), c.clone()])]);
        assert_eq!(parse("a==1,b==2;c<3"), Ok(tight.clone()));
        assert_eq!(parse("a==1 or b==2 and c<3"), Ok(tight));
        let wide = Filter::All(vec![Filter::Any(vec![a, b]), c]);
        assert_eq!(parse("(a==1,b==2);c=lt=3"), Ok(wide));
    }

    #[test]
    fn quotes_keep_everything() {
        assert_eq!(parse(r#"a=='it\'s (1,2);\\'"#), Ok(is("a", Operator::Equal, &[r"it's (1,2);\"])));
        assert_eq!(parse(r#"a=="""#), Ok(is("a", Operator::Equal, &[""])));
        assert_eq!(parse("android==or"), Ok(is("android", Operator::Equal, &["or"])));
    }

    #[test]
    fn what_is_refused_says_where() {
        for (text, says) in [
            ("", "the name of a field at character 1"),
            ("a", "an operator at character 2"),
            ("a==", "a value at character 4"),
            ("a==1;", "the name of a field at character 6"),
            ("(a==1", "')' at character 6"),
            ("a==1)", "the end of the filter"),
            ("a=='x", "an end of what begins with '"),
            ("a=in=(1,2", "',' or ')'"),
            ("a==(1,2)", "does not take 2 values"),
            ("a=between=1", "does not take 1 values"),
            ("é=~1", "an operator at character 2"),
        ] {
            let Err(Refused(reason)) = parse(text) else { panic!("{text} was taken") };
            assert!(reason.contains(says), "{text}: {reason}");
        }
        let deep = format!("{}a==1{}", "(".repeat(DEPTH + 1), ")".repeat(DEPTH + 1));
        assert!(parse(&deep).is_err());
        assert!(parse(&"a==1,".repeat(TERMS + 1)).is_err());
        assert!(parse(&"a".repeat(LENGTH + 1)).is_err());
    }

    /// A small generator that is the same everywhere.
    struct Random(u64);

    impl Random {
        fn below(&mut self, limit: usize) -> usize {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(self.0 >> 33).unwrap_or(0) % limit
        }

        fn text(&mut self, signs: &[char]) -> String {
            (0..self.below(6)).map(|_| signs[self.below(signs.len())]).collect()
        }

        fn filter(&mut self, depth: usize) -> Filter {
            let many = |random: &mut Self| (0..2 + random.below(2)).map(|_| random.filter(depth - 1)).collect();
            match self.below(if depth == 0 { 1 } else { 3 }) {
                1 => Filter::All(many(self)),
                2 => Filter::Any(many(self)),
                _ => {
                    let operator = OPERATORS[self.below(OPERATORS.len())].1;
                    let count = match operator {
                        Operator::Between | Operator::NotBetween => 2,
                        Operator::In | Operator::NotIn => 1 + self.below(3),
                        _ => 1,
                    };
                    let signs = ['a', 'ö', ' ', '\'', '"', '\\', '(', ')', ',', ';', '=', '*', '~'];
                    let values = (0..count).map(|_| self.text(&signs)).collect();
                    let selector = format!("s{}", self.text(&['a', '.', 'é', '_', '-']));
                    Filter::Is(Comparison { selector, operator, values })
                }
            }
        }
    }

    #[test]
    fn a_filter_reads_as_it_was_written() {
        let mut random = Random(11);
        for _ in 0..3000 {
            let filter = random.filter(3);
            assert_eq!(parse(&filter.to_string()), Ok(filter.clone()), "{filter}");
        }
    }

    #[test]
    fn no_text_is_a_panic() {
        let mut random = Random(12);
        let signs = ['a', '=', '(', ')', ',', ';', '\'', '"', '\\', ' ', '<', '!', 'é', 'o', 'r'];
        for _ in 0..20_000 {
            let text: String = (0..random.below(24)).map(|_| signs[random.below(signs.len())]).collect();
            let _either = parse(&text);
        }
    }
}
